package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"

	. "coxswain.test/clients/scenario"
)

// untilAnswered repeats what nobody answered, as a client does whose server comes back.
func untilAnswered(run *Run, what string, do func() error) {
	run.Eventually(what, func() error {
		err := do()
		var status apierrors.APIStatus
		if err != nil && errors.As(err, &status) && !apierrors.IsServiceUnavailable(err) && !apierrors.IsInternalError(err) {
			OK(err)
		}
		return err
	})
}

// informersOverACrash has three kinds of informers see what happens in all namespaces while the control plane is killed.
func informersOverACrash(run *Run) {
	const count = 60
	ctx, client := run.Context, clientset(run)
	maps := client.CoreV1().ConfigMaps(run.Namespace)
	shared := informers.NewSharedInformerFactory(client, 0)
	dynamicShared := dynamicinformer.NewDynamicSharedInformerFactory(Must(dynamic.NewForConfig(run.Config)), 0)
	metadataShared := metadatainformer.NewSharedInformerFactory(Must(metadata.NewForConfig(run.Config)), 0)
	all := map[string]cache.SharedIndexInformer{
		"typed":    shared.Core().V1().ConfigMaps().Informer(),
		"dynamic":  dynamicShared.ForResource(configMaps).Informer(),
		"metadata": metadataShared.ForResource(configMaps).Informer(),
	}
	var removed atomic.Int32
	Must(all["typed"].AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: func(any) { removed.Add(1) }}))
	shared.Start(ctx.Done())
	dynamicShared.Start(ctx.Done())
	metadataShared.Start(ctx.Done())
	for name, informer := range all {
		Check(cache.WaitForCacheSync(ctx.Done(), informer.HasSynced), "the %s informer has not synced", name)
	}
	for i := range count {
		if i == count/2 {
			Crash()
		}
		name := fmt.Sprintf("c-%d", i)
		untilAnswered(run, "create "+name, func() error {
			_, err := maps.Create(ctx, configMap(name), metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
		if i%3 == 0 {
			untilAnswered(run, "delete "+name, func() error {
				err := maps.Delete(ctx, name, metav1.DeleteOptions{})
				if apierrors.IsNotFound(err) {
					return nil
				}
				return err
			})
		}
	}
	list := Must(client.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{}))
	for name, informer := range all {
		run.Eventually("the "+name+" informer", func() error { return differs(informer.GetStore(), list) })
	}
	run.Eventually("deletions told", func() error {
		if told := removed.Load(); told > count/3 {
			return fmt.Errorf("%d deletions told", told)
		}
		return nil
	})
}

func differs(store cache.Store, list *corev1.ConfigMapList) error {
	if got := len(store.List()); got != len(list.Items) {
		return fmt.Errorf("%d objects, not %d", got, len(list.Items))
	}
	for _, item := range list.Items {
		found, ok, _ := store.GetByKey(item.Namespace + "/" + item.Name)
		if !ok {
			return fmt.Errorf("%s is not there", item.Name)
		}
		if got := Must(meta.Accessor(found)).GetResourceVersion(); got != item.ResourceVersion {
			return fmt.Errorf("%s at %s, not at %s", item.Name, got, item.ResourceVersion)
		}
	}
	return nil
}

// leaderElection: the leader goes on over a crash; when it gives up, the other one leads.
func leaderElection(run *Run) {
	client := clientset(run)
	leads := make(chan string, 4)
	candidate := func(name string) (context.CancelFunc, chan struct{}) {
		ctx, cancel := context.WithCancel(run.Context)
		ended := make(chan struct{})
		lock := Must(resourcelock.New(resourcelock.LeasesResourceLock, run.Namespace, "leader",
			client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name}))
		elector := Must(leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 20 * time.Second, RenewDeadline: 15 * time.Second, RetryPeriod: 200 * time.Millisecond,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leads <- name },
				OnStoppedLeading: func() {},
			},
		}))
		go func() {
			defer close(ended)
			elector.Run(ctx)
		}()
		return cancel, ended
	}
	leases := client.CoordinationV1().Leases(run.Namespace)
	cancel, ended := candidate("a")
	Equal("the first leader", <-leads, "a")
	candidate("b")
	Crash()
	before := time.Now()
	run.Eventually("a renewal after the crash", func() error {
		lease, err := leases.Get(run.Context, "leader", metav1.GetOptions{})
		if err != nil {
			return err
		}
		Equal("the holder after the crash", *lease.Spec.HolderIdentity, "a")
		if !lease.Spec.RenewTime.After(before) {
			return fmt.Errorf("renewed at %v", lease.Spec.RenewTime)
		}
		return nil
	})
	cancel()
	<-ended
	Equal("the second leader", <-leads, "b")
	lease := Must(leases.Get(run.Context, "leader", metav1.GetOptions{}))
	Equal("the holder", *lease.Spec.HolderIdentity, "b")
	// Given up is a change, too.
	Check(*lease.Spec.LeaseTransitions >= 1, "%d transitions", *lease.Spec.LeaseTransitions)
}

// watchList streams a list: what is there, then a bookmark that says so, then what happens.
func watchList(run *Run) {
	ctx, client := run.Context, clientset(run)
	maps := client.CoreV1().ConfigMaps(run.Namespace)
	for i := range 5 {
		Must(maps.Create(ctx, configMap(fmt.Sprintf("c-%d", i)), metav1.CreateOptions{}))
	}
	initial := true
	for _, namespace := range []string{run.Namespace, ""} {
		watching := Must(client.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{
			SendInitialEvents: &initial, AllowWatchBookmarks: true, LabelSelector: "made=here",
			ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		}))
		seen := 0
		for event := range watching.ResultChan() {
			if event.Type == watch.Bookmark {
				bookmark := Must(meta.Accessor(event.Object))
				Equal("the bookmark's annotation", bookmark.GetAnnotations()[metav1.InitialEventsAnnotationKey], "true")
				Check(bookmark.GetResourceVersion() != "", "a bookmark without a version")
				break
			}
			Equal("an initial event", event.Type, watch.Added)
			seen++
		}
		Check(seen >= 5, "%d initial events", seen)
		made := Must(maps.Create(ctx, configMap("late"), metav1.CreateOptions{}))
		for event := range watching.ResultChan() {
			if event.Type == watch.Bookmark {
				continue
			}
			Equal("the next event's version", Must(meta.Accessor(event.Object)).GetResourceVersion(), made.ResourceVersion)
			break
		}
		watching.Stop()
		OK(maps.Delete(ctx, "late", metav1.DeleteOptions{}))
	}
}

// pages reads a list in pieces that are one revision together, though something is written in between.
func pages(run *Run) {
	ctx, maps := run.Context, clientset(run).CoreV1().ConfigMaps(run.Namespace)
	for i := range 25 {
		Must(maps.Create(ctx, configMap(fmt.Sprintf("c-%02d", i)), metav1.CreateOptions{}))
	}
	calls := 0
	pieces := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		calls++
		Must(maps.Create(ctx, configMap(fmt.Sprintf("c-00-%d", calls)), metav1.CreateOptions{}))
		return maps.List(ctx, options)
	})
	pieces.PageSize = 7
	seen := 0
	OK(pieces.EachListItem(ctx, metav1.ListOptions{LabelSelector: "made=here"}, func(runtime.Object) error { seen++; return nil }))
	Equal("items", seen, 26)
	Equal("calls", calls, 4)
}
