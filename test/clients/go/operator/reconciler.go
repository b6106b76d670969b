package main

import (
	"context"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	finalizer = "clients.example.com/farewell"
	owner     = client.FieldOwner("cache-operator")
	// farewell is written where a Cache has been, by its finalizer.
	farewell = "farewell-"
)

type reconciler struct{ client.Client }

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var cache Cache
	if err := r.Get(ctx, request.NamespacedName, &cache); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !cache.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.end(ctx, &cache)
	}
	if controllerutil.AddFinalizer(&cache, finalizer) {
		return ctrl.Result{}, r.Update(ctx, &cache)
	}
	config := applycore.ConfigMap(cache.Name, cache.Namespace).
		WithData(map[string]string{"size": strconv.Itoa(int(cache.Spec.Size))}).
		WithOwnerReferences(applymeta.OwnerReference().
			WithAPIVersion(groupVersion.String()).WithKind("Cache").WithName(cache.Name).WithUID(cache.UID).
			WithController(true).WithBlockOwnerDeletion(true))
	if err := r.Apply(ctx, config, owner, client.ForceOwnership); err != nil {
		return ctrl.Result{}, err
	}
	before := cache.DeepCopyObject().(*Cache)
	cache.Status.Size = cache.Spec.Size
	cache.Status.ObservedGeneration = cache.Generation
	meta.SetStatusCondition(&cache.Status.Conditions, metav1.Condition{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Applied", Message: "its ConfigMap is there", ObservedGeneration: cache.Generation,
	})
	return ctrl.Result{}, r.Status().Patch(ctx, &cache, client.MergeFrom(before))
}

func (r *reconciler) end(ctx context.Context, cache *Cache) error {
	left := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: farewell + cache.Name, Namespace: cache.Namespace}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, left, func() error {
		left.Data = map[string]string{"size": strconv.Itoa(int(cache.Spec.Size))}
		return nil
	}); err != nil {
		return err
	}
	before := cache.DeepCopyObject().(*Cache)
	if !controllerutil.RemoveFinalizer(cache, finalizer) {
		return nil
	}
	return client.IgnoreNotFound(r.Patch(ctx, cache, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
}
