package main

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	. "coxswain.test/clients/scenario"
)

var configMaps = corev1.SchemeGroupVersion.WithResource("configmaps")

func unstructuredMap(name string, data map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": data,
	}}
}

func dynamicClient(run *Run) {
	ctx := run.Context
	maps := Must(dynamic.NewForConfig(run.Config)).Resource(configMaps).Namespace(run.Namespace)
	made := Must(maps.Create(ctx, unstructuredMap("one", map[string]any{"a": "1"}), metav1.CreateOptions{}))
	Equal("kind", made.GroupVersionKind(), corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	OK(unstructured.SetNestedField(made.Object, "2", "data", "a"))
	made = Must(maps.Update(ctx, made, metav1.UpdateOptions{}))
	Must(maps.Patch(ctx, "one", types.MergePatchType, []byte(`{"data":{"b":"1"}}`), metav1.PatchOptions{}))

	applied := Must(maps.Apply(ctx, "one", unstructuredMap("one", map[string]any{"c": "1"}), metav1.ApplyOptions{FieldManager: "me"}))
	data, _, _ := unstructured.NestedStringMap(applied.Object, "data")
	Equal("keys after an apply", len(data), 3)
	_, err := maps.Apply(ctx, "one", unstructuredMap("one", map[string]any{"a": "3"}), metav1.ApplyOptions{FieldManager: "you"})
	Check(apierrors.IsConflict(err), "an apply of another's field: %v", err)
	applied = Must(maps.Apply(ctx, "one", unstructuredMap("one", map[string]any{"a": "3"}), metav1.ApplyOptions{FieldManager: "you", Force: true}))
	Check(slices.ContainsFunc(applied.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == "you" && entry.Operation == metav1.ManagedFieldsOperationApply
	}), "no entry of the manager: %v", applied.GetManagedFields())

	watching := Must(maps.Watch(ctx, metav1.ListOptions{ResourceVersion: applied.GetResourceVersion(), FieldSelector: "metadata.name=one"}))
	defer watching.Stop()
	OK(maps.Delete(ctx, "one", metav1.DeleteOptions{}))
	Equal("the watch's event", (<-watching.ResultChan()).Type, watch.Deleted)
}

func metadataClient(run *Run) {
	ctx := run.Context
	maps := Must(metadata.NewForConfig(run.Config)).Resource(configMaps).Namespace(run.Namespace)
	client := clientset(run).CoreV1().ConfigMaps(run.Namespace)
	Must(client.Create(ctx, configMap("one"), metav1.CreateOptions{}))
	one := Must(maps.Get(ctx, "one", metav1.GetOptions{}))
	Equal("label", one.Labels["made"], "here")
	list := Must(maps.List(ctx, metav1.ListOptions{LabelSelector: "made=here"}))
	Equal("items", len(list.Items), 1)
	watching := Must(maps.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion}))
	defer watching.Stop()
	patched := Must(maps.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"annotations":{"a":"1"}}}`), metav1.PatchOptions{}))
	Equal("annotation", patched.Annotations["a"], "1")
	event := <-watching.ResultChan()
	Equal("event", event.Type, watch.Modified)
	Equal("the event's version", event.Object.(*metav1.PartialObjectMetadata).ResourceVersion, patched.ResourceVersion)
	OK(maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "made=here"}))
	_, err := maps.Get(ctx, "one", metav1.GetOptions{})
	Check(apierrors.IsNotFound(err), "get of what was deleted: %v", err)
}

// tableClient asks for what kubectl prints.
func tableClient(run *Run) *rest.RESTClient {
	config := rest.CopyConfig(run.Config)
	config.GroupVersion = &corev1.SchemeGroupVersion
	config.APIPath = "/api"
	known := runtime.NewScheme()
	OK(metav1.AddMetaToScheme(known))
	metav1.AddToGroupVersion(known, corev1.SchemeGroupVersion)
	config.NegotiatedSerializer = serializer.NewCodecFactory(known).WithoutConversion()
	config.AcceptContentTypes = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
	return Must(rest.RESTClientFor(config))
}

func table(run *Run) {
	ctx, client := run.Context, tableClient(run)
	maps := clientset(run).CoreV1().ConfigMaps(run.Namespace)
	made := Must(maps.Create(ctx, configMap("one"), metav1.CreateOptions{}))
	for includes, kind := range map[metav1.IncludeObjectPolicy]string{
		metav1.IncludeNone: "", metav1.IncludeMetadata: "PartialObjectMetadata", metav1.IncludeObject: "ConfigMap",
	} {
		var answer metav1.Table
		OK(client.Get().Namespace(run.Namespace).Resource("configmaps").Name("one").
			Param("includeObject", string(includes)).Do(ctx).Into(&answer))
		Equal("rows", len(answer.Rows), 1)
		Equal("the first column", answer.ColumnDefinitions[0].Name, "Name")
		Equal("cells", fmt.Sprint(answer.Rows[0].Cells[:2]), "[one 2]")
		var object metav1.TypeMeta
		if raw := answer.Rows[0].Object.Raw; raw != nil {
			OK(json.Unmarshal(raw, &object))
		}
		Equal("the row's object with "+string(includes), object.Kind, kind)
	}
	watching := Must(client.Get().Namespace(run.Namespace).Resource("configmaps").
		VersionedParams(&metav1.ListOptions{Watch: true, ResourceVersion: made.ResourceVersion}, scheme.ParameterCodec).Watch(ctx))
	defer watching.Stop()
	Must(maps.Create(ctx, configMap("two"), metav1.CreateOptions{}))
	event := <-watching.ResultChan()
	row, ok := event.Object.(*metav1.Table)
	Check(ok, "an event of %T: %v", event.Object, event.Object)
	Equal("the watched row", row.Rows[0].Cells[0], any("two"))
}

func discoveryAndMapper(run *Run) {
	client := Must(discovery.NewDiscoveryClientForConfig(run.Config))
	cache := memory.NewMemCacheClient(client)
	_, lists, err := cache.ServerGroupsAndResources()
	OK(err)
	Check(len(lists) > 20, "only %d group versions", len(lists))
	Check(cache.Fresh(), "the cache is not fresh")
	cache.Invalidate()
	Equal("minor version", Must(cache.ServerVersion()).Minor, "36")

	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cache), cache, nil)
	for name, want := range map[string]string{"deploy": "apps/v1", "po": "/v1", "crd": "apiextensions.k8s.io/v1", "hpa": "autoscaling/v2", "events": "/v1"} {
		found := Must(mapper.ResourceFor(schema.GroupVersionResource{Resource: name}))
		Equal(name, found.Group+"/"+found.Version, want)
	}
	mapping := Must(mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"}))
	Equal("scope", mapping.Scope.Name(), "namespace")
	_, err = mapper.ResourceFor(schema.GroupVersionResource{Resource: "nothings"})
	Check(err != nil, "a kind that is not there")

	paths := Must(client.OpenAPIV3().Paths())
	document := Must(paths["apis/apps/v1"].Schema("application/com.github.proto-openapi.spec.v3.v1.0+protobuf"))
	Check(len(document) > 10_000, "an OpenAPI v3 document of %d bytes", len(document))
	Check(len(Must(client.OpenAPISchema()).GetDefinitions().GetAdditionalProperties()) > 500, "few OpenAPI v2 definitions")
}
