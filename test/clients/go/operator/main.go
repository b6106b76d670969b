// An operator made with controller-runtime, and what its user does, against the cluster of $KUBECONFIG.
package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	. "coxswain.test/clients/scenario"
)

func main() {
	log.SetLogger(zap.New())
	Main(map[string]func(*Run){"reconcile": reconcile})
}

func newScheme() *runtime.Scheme {
	known := runtime.NewScheme()
	OK(scheme.AddToScheme(known))
	OK(apiextensionsv1.AddToScheme(known))
	addToScheme(known)
	return known
}

// install creates the definition, and waits as operators do: until it is established.
func install(run *Run, direct client.Client) {
	made := definition()
	OK(direct.Create(run.Context, made))
	run.Eventually("the definition", func() error {
		if err := direct.Get(run.Context, client.ObjectKeyFromObject(made), made); err != nil {
			return err
		}
		for _, condition := range made.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("not established: %v", made.Status)
	})
}

func startManager(run *Run, known *runtime.Scheme) {
	long, short := 20*time.Second, 500*time.Millisecond
	renew := 15 * time.Second
	manager := Must(ctrl.NewManager(run.Config, ctrl.Options{
		Scheme:                  known,
		Cache:                   cache.Options{DefaultNamespaces: map[string]cache.Config{run.Namespace: {}}},
		Metrics:                 server.Options{BindAddress: "0"},
		LeaderElection:          true,
		LeaderElectionID:        "cache-operator",
		LeaderElectionNamespace: run.Namespace,
		LeaseDuration:           &long, RenewDeadline: &renew, RetryPeriod: &short,
	}))
	OK(ctrl.NewControllerManagedBy(manager).For(&Cache{}).Owns(&corev1.ConfigMap{}).
		Complete(&reconciler{manager.GetClient()}))
	go func() { OK(manager.Start(run.Context)) }()
}

func reconcile(run *Run) {
	ctx, known := run.Context, newScheme()
	direct := Must(client.New(run.Config, client.Options{Scheme: known}))
	install(run, direct)
	startManager(run, known)

	one := &Cache{ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: run.Namespace}}
	OK(direct.Create(ctx, one))
	settled(run, direct, one)
	Equal("the default size", one.Status.Size, 3)
	version := one.ResourceVersion

	err := direct.Create(ctx, &Cache{ObjectMeta: metav1.ObjectMeta{Name: "bad", Namespace: run.Namespace}, Spec: CacheSpec{Size: -1}})
	Check(apierrors.IsInvalid(err), "a size below the minimum: %v", err)

	// What is written to the status goes there alone, and what is written beside it does not reach the status.
	one.Status.Size = 99
	one.Spec.Size = 4
	OK(direct.Update(ctx, one))
	Equal("the generation", one.Generation, 2)
	settled(run, direct, one)
	Equal("the size after an update", one.Status.Size, 4)
	Check(one.ResourceVersion != version, "the version is the same")

	// Nobody else changes what is owned.
	owned := &corev1.ConfigMap{}
	OK(direct.Get(ctx, client.ObjectKeyFromObject(one), owned))
	owned.Data["size"] = "100"
	OK(direct.Update(ctx, owned))
	run.Eventually("the ConfigMap as it was", func() error { return hasSize(ctx, direct, one.Name, one.Namespace, "4") })

	Crash()
	run.Eventually("a Cache made after the crash", func() error {
		return client.IgnoreAlreadyExists(direct.Create(ctx, &Cache{
			ObjectMeta: metav1.ObjectMeta{Name: "two", Namespace: run.Namespace}, Spec: CacheSpec{Size: 7},
		}))
	})
	two := &Cache{ObjectMeta: metav1.ObjectMeta{Name: "two", Namespace: run.Namespace}}
	settled(run, direct, two)
	Equal("the size after the crash", two.Status.Size, 7)

	OK(direct.Delete(ctx, one))
	OK(direct.DeleteAllOf(ctx, &Cache{}, client.InNamespace(run.Namespace)))
	for _, each := range []*Cache{one, two} {
		run.Eventually("the end of "+each.Name, func() error { return gone(ctx, direct, each) })
		run.Eventually("the end of what "+each.Name+" owned", func() error {
			return gone(ctx, direct, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: each.Name, Namespace: each.Namespace}})
		})
	}
	OK(hasSize(ctx, direct, farewell+"one", run.Namespace, "4"))
	OK(hasSize(ctx, direct, farewell+"two", run.Namespace, "7"))
	OK(direct.Delete(ctx, definition()))
	run.Eventually("the definition's end", func() error { return gone(ctx, direct, definition()) })
}

// settled waits until the operator has seen a Cache as it is now.
func settled(run *Run, direct client.Client, it *Cache) {
	run.Eventually("the status of "+it.Name, func() error {
		if err := direct.Get(run.Context, client.ObjectKeyFromObject(it), it); err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(it.Status.Conditions, "Ready") || it.Status.ObservedGeneration != it.Generation {
			return fmt.Errorf("generation %d, status %v", it.Generation, it.Status)
		}
		return nil
	})
}

func hasSize(ctx context.Context, direct client.Client, name, namespace, size string) error {
	var found corev1.ConfigMap
	if err := direct.Get(ctx, client.ObjectKey{Name: name, Namespace: namespace}, &found); err != nil {
		return err
	}
	if found.Data["size"] != size {
		return fmt.Errorf("the size of %s is %s", name, found.Data["size"])
	}
	return nil
}

func gone(ctx context.Context, direct client.Client, object client.Object) error {
	err := direct.Get(ctx, client.ObjectKeyFromObject(object), object)
	if err == nil {
		return fmt.Errorf("%s is there", object.GetName())
	}
	return client.IgnoreNotFound(err)
}
