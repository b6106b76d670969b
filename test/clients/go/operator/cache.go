package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

var groupVersion = schema.GroupVersion{Group: "clients.example.com", Version: "v1"}

// Cache is a kind of the operator's own: the ConfigMap of its name holds its size.
type Cache struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              CacheSpec   `json:"spec,omitempty"`
	Status            CacheStatus `json:"status,omitempty"`
}

type CacheSpec struct {
	Size int32 `json:"size,omitempty"`
}

type CacheStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Size               int32              `json:"size,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

type CacheList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Cache `json:"items"`
}

func (cache *Cache) DeepCopyObject() runtime.Object {
	out := *cache
	out.ObjectMeta = *cache.ObjectMeta.DeepCopy()
	out.Status.Conditions = append([]metav1.Condition(nil), cache.Status.Conditions...)
	return &out
}

func (list *CacheList) DeepCopyObject() runtime.Object {
	out := &CacheList{TypeMeta: list.TypeMeta, ListMeta: *list.ListMeta.DeepCopy()}
	for i := range list.Items {
		out.Items = append(out.Items, *list.Items[i].DeepCopyObject().(*Cache))
	}
	return out
}

func addToScheme(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(groupVersion, &Cache{}, &CacheList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
}

// definition of the kind, as controller-gen would write it.
func definition() *apiextensionsv1.CustomResourceDefinition {
	type props = map[string]apiextensionsv1.JSONSchemaProps
	one := 1.0
	text := apiextensionsv1.JSONSchemaProps{Type: "string"}
	integer := apiextensionsv1.JSONSchemaProps{Type: "integer", Format: "int32"}
	generation := apiextensionsv1.JSONSchemaProps{Type: "integer", Format: "int64"}
	mapList := "map"
	condition := apiextensionsv1.JSONSchemaProps{
		Type:     "object",
		Required: []string{"type", "status", "lastTransitionTime", "reason", "message"},
		Properties: props{
			"type": text, "status": text, "reason": text, "message": text,
			"lastTransitionTime": {Type: "string", Format: "date-time"}, "observedGeneration": generation,
		},
	}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "caches." + groupVersion.Group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: groupVersion.Group,
			Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "caches", Singular: "cache", Kind: "Cache", ListKind: "CacheList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: groupVersion.Version, Served: true, Storage: true,
				Subresources:             &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
				AdditionalPrinterColumns: []apiextensionsv1.CustomResourceColumnDefinition{{Name: "Size", Type: "integer", JSONPath: ".spec.size"}},
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: props{
						"apiVersion": text, "kind": text, "metadata": {Type: "object"},
						"spec": {Type: "object", Properties: props{"size": {
							Type: "integer", Format: "int32", Minimum: &one, Default: &apiextensionsv1.JSON{Raw: []byte("3")},
						}}, Default: &apiextensionsv1.JSON{Raw: []byte("{}")}},
						"status": {Type: "object", Properties: props{
							"observedGeneration": generation, "size": integer,
							"conditions": {
								Type: "array", XListType: &mapList, XListMapKeys: []string{"type"},
								Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &condition},
							},
						}},
					},
				}},
			}},
		},
	}
}
