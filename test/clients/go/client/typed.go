package main

import (
	"fmt"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"

	. "coxswain.test/clients/scenario"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// protobufConfig sends protobuf and takes nothing else: an answer in JSON is an error then.
func protobufConfig(run *Run) *rest.Config {
	config := rest.CopyConfig(run.Config)
	config.ContentType = protobuf
	config.AcceptContentTypes = protobuf
	return config
}

func clientset(run *Run) kubernetes.Interface {
	return Must(kubernetes.NewForConfig(protobufConfig(run)))
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made": "here"}},
		Data:       map[string]string{"a": "1"},
		BinaryData: map[string][]byte{"b": {0, 1, 255}},
	}
}

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web:1"}}},
			},
		},
	}
}

func typed(run *Run) {
	ctx, client := run.Context, clientset(run)
	maps := client.CoreV1().ConfigMaps(run.Namespace)

	made := Must(maps.Create(ctx, configMap("one"), metav1.CreateOptions{}))
	Check(made.UID != "" && made.ResourceVersion != "" && !made.CreationTimestamp.IsZero(), "incomplete: %v", made)
	Equal("binary data", string(made.BinaryData["b"]), "\x00\x01\xff")
	_, err := maps.Create(ctx, configMap("one"), metav1.CreateOptions{})
	Check(apierrors.IsAlreadyExists(err), "a second create: %v", err)
	_, err = maps.Get(ctx, "none", metav1.GetOptions{})
	Check(apierrors.IsNotFound(err), "get of what is absent: %v", err)

	stale := made.DeepCopy()
	made.Data["a"] = "2"
	made = Must(maps.Update(ctx, made, metav1.UpdateOptions{}))
	_, err = maps.Update(ctx, stale, metav1.UpdateOptions{})
	Check(apierrors.IsConflict(err), "a stale update: %v", err)
	for kind, patch := range map[types.PatchType]string{
		types.JSONPatchType:           `[{"op":"add","path":"/data/json","value":"1"}]`,
		types.MergePatchType:          `{"data":{"merge":"1"}}`,
		types.StrategicMergePatchType: `{"data":{"strategic":"1"}}`,
	} {
		made = Must(maps.Patch(ctx, "one", kind, []byte(patch), metav1.PatchOptions{}))
	}
	Equal("data after patches", len(made.Data), 4)

	bad := configMap("Bad_Name")
	_, err = maps.Create(ctx, bad, metav1.CreateOptions{})
	Check(apierrors.IsInvalid(err), "a bad name: %v", err)
	status := err.(apierrors.APIStatus).Status()
	Equal("causes", len(status.Details.Causes), 1)
	Equal("the cause's field", status.Details.Causes[0].Field, "metadata.name")

	dry := Must(maps.Create(ctx, configMap("dry"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}))
	Check(dry.UID != "", "a dry run without a uid")
	_, err = maps.Get(ctx, "dry", metav1.GetOptions{})
	Check(apierrors.IsNotFound(err), "what a dry run made: %v", err)

	wrongUID := types.UID("other")
	err = maps.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrongUID}})
	Check(apierrors.IsConflict(err), "a delete of another uid: %v", err)
	OK(maps.Delete(ctx, "one", *metav1.NewPreconditionDeleteOptions(string(made.UID))))
	OK(maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "made=here"}))

	subresources(run, client)
}

func subresources(run *Run, client kubernetes.Interface) {
	ctx := run.Context
	deployments := client.AppsV1().Deployments(run.Namespace)
	web := Must(deployments.Create(ctx, deployment("web", 0), metav1.CreateOptions{}))
	Equal("the default strategy", web.Spec.Strategy.Type, appsv1.RollingUpdateDeploymentStrategyType)
	scale := Must(deployments.GetScale(ctx, "web", metav1.GetOptions{}))
	Equal("the scale's selector", scale.Status.Selector, "app=web")
	scale.Spec.Replicas = 1
	scale = Must(deployments.UpdateScale(ctx, "web", scale, metav1.UpdateOptions{}))
	Equal("replicas", scale.Spec.Replicas, 1)
	Check(scale.ResourceVersion != "", "a scale without a version: %v", scale)
	var _ *autoscalingv1.Scale = scale

	pods := client.CoreV1().Pods(run.Namespace)
	// Its controllers may write it meanwhile.
	OK(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		current := Must(deployments.Get(ctx, "web", metav1.GetOptions{}))
		current.Status.Conditions = append(current.Status.Conditions, appsv1.DeploymentCondition{
			Type: "Blessed", Status: corev1.ConditionTrue, LastUpdateTime: metav1.Now(), LastTransitionTime: metav1.Now(),
		})
		current.Spec.Replicas = new(int32)
		stored, err := deployments.UpdateStatus(ctx, current, metav1.UpdateOptions{})
		if err == nil {
			Equal("replicas after an update of the status", *stored.Spec.Replicas, 1)
		}
		return err
	}))
	var pod corev1.Pod
	run.Eventually("a pod of the Deployment", func() error {
		list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
		if err == nil && len(list.Items) != 1 {
			err = fmt.Errorf("%d pods", len(list.Items))
		}
		if err == nil {
			pod = list.Items[0]
		}
		return err
	})
	Equal("the pod's controller", metav1.GetControllerOf(&pod).Kind, "ReplicaSet")
	err := pods.EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name}})
	Check(err == nil, "an eviction: %v", err)
	foreground := metav1.DeletePropagationForeground
	OK(deployments.Delete(ctx, "web", metav1.DeleteOptions{PropagationPolicy: &foreground}))
	run.Eventually("the Deployment's end", func() error {
		_, err := deployments.Get(ctx, "web", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there: %v", err)
	})
}

// everyKind lists each kind of the API that client-go has types for, in protobuf.
func everyKind(run *Run) {
	lists := Must(discovery.NewDiscoveryClientForConfigOrDie(run.Config).ServerPreferredResources())
	count := 0
	for _, list := range lists {
		groupVersion := Must(schema.ParseGroupVersion(list.GroupVersion))
		if !scheme.Scheme.IsVersionRegistered(groupVersion) {
			continue
		}
		config := protobufConfig(run)
		config.GroupVersion = &groupVersion
		config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
		config.APIPath = "/apis"
		if groupVersion.Group == "" {
			config.APIPath = "/api"
		}
		client := Must(rest.RESTClientFor(config))
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") {
				continue
			}
			into := Must(scheme.Scheme.New(groupVersion.WithKind(resource.Kind + "List")))
			err := client.Get().Resource(resource.Name).Do(run.Context).Into(into)
			Check(err == nil, "%s %s: %v", list.GroupVersion, resource.Name, err)
			Check(meta.IsListType(into), "%s is no list", resource.Name)
			count++
		}
	}
	Check(count > 50, "only %d kinds", count)
}

// retryOnConflict counts up in parallel: no count is lost.
func retryOnConflict(run *Run) {
	const writers, times = 8, 5
	ctx, maps := run.Context, clientset(run).CoreV1().ConfigMaps(run.Namespace)
	Must(maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "counter"}}, metav1.CreateOptions{}))
	backoff := retry.DefaultBackoff
	backoff.Steps = 100
	backoff.Factor = 1
	errs := make(chan error, writers)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range times {
				err := retry.RetryOnConflict(backoff, func() error {
					counter, err := maps.Get(ctx, "counter", metav1.GetOptions{})
					if err != nil {
						return err
					}
					if counter.Data == nil {
						counter.Data = map[string]string{}
					}
					counter.Data["ticks"] += "x"
					_, err = maps.Update(ctx, counter, metav1.UpdateOptions{})
					return err
				})
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		OK(err)
	}
	Equal("counts", len(Must(maps.Get(ctx, "counter", metav1.GetOptions{})).Data["ticks"]), writers*times)
}
