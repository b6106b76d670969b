package main

import (
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applyautoscaling "k8s.io/client-go/applyconfigurations/autoscaling/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"

	. "coxswain.test/clients/scenario"
)

// apply: server-side apply as client-go's generated configurations do it.
func apply(run *Run) {
	ctx, deployments := run.Context, clientset(run).AppsV1().Deployments(run.Namespace)
	labels := map[string]string{"app": "web"}
	container := func() *applycore.ContainerApplyConfiguration {
		return applycore.Container().WithName("web").WithImage("web:1").
			WithPorts(applycore.ContainerPort().WithContainerPort(80))
	}
	config := func(containers ...*applycore.ContainerApplyConfiguration) *applyapps.DeploymentApplyConfiguration {
		return applyapps.Deployment("web", run.Namespace).WithSpec(applyapps.DeploymentSpec().
			WithReplicas(0).
			WithSelector(applymeta.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(applycore.PodTemplateSpec().WithLabels(labels).
				WithSpec(applycore.PodSpec().WithContainers(containers...))))
	}
	mine := metav1.ApplyOptions{FieldManager: "mine"}
	yours := metav1.ApplyOptions{FieldManager: "yours"}

	made := Must(deployments.Apply(ctx, config(container(), applycore.Container().WithName("side").WithImage("side:1")), mine))
	Equal("containers", len(made.Spec.Template.Spec.Containers), 2)
	again := Must(deployments.Apply(ctx, config(container()), mine))
	Equal("containers that are still said", len(again.Spec.Template.Spec.Containers), 1)

	_, err := deployments.Apply(ctx, config(container().WithImage("web:2")), yours)
	Check(apierrors.IsConflict(err), "an apply of another's image: %v", err)
	Check(apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict), "no cause: %v", err)
	cause := err.(apierrors.APIStatus).Status().Details.Causes[0]
	Equal("the cause's field", cause.Field, `.spec.template.spec.containers[name="web"].image`)
	forced := yours
	forced.Force = true
	after := Must(deployments.Apply(ctx, config(container().WithImage("web:2")), forced))
	Equal("the image", after.Spec.Template.Spec.Containers[0].Image, "web:2")

	// What one manager said can be read back, changed and applied again.
	extracted := Must(applyapps.ExtractDeployment(after, "mine"))
	Check(extracted.Spec.Template.Spec.Containers[0].Image == nil, "the image is not mine any more")
	extracted.Spec.Template.Spec.Containers[0].WithEnv(applycore.EnvVar().WithName("A").WithValue("1"))
	after = Must(deployments.Apply(ctx, extracted, mine))
	Equal("the image after mine", after.Spec.Template.Spec.Containers[0].Image, "web:2")
	Equal("variables", len(after.Spec.Template.Spec.Containers[0].Env), 1)

	scaled := Must(deployments.ApplyScale(ctx, "web", applyautoscaling.Scale().WithName("web").WithNamespace(run.Namespace).
		WithSpec(applyautoscaling.ScaleSpec().WithReplicas(2)), metav1.ApplyOptions{FieldManager: "scaler", Force: true}))
	Equal("replicas", scaled.Spec.Replicas, 2)
	condition := applyapps.DeploymentCondition().WithType(appsv1.DeploymentConditionType("Blessed")).WithStatus("True")
	status := applyapps.Deployment("web", run.Namespace).WithStatus(applyapps.DeploymentStatus().WithConditions(condition))
	blessed := Must(deployments.ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "status"}))
	found := false
	for _, each := range blessed.Status.Conditions {
		found = found || each.Type == "Blessed"
	}
	Check(found, "the condition is not there: %v", blessed.Status)
	Check(Must(applyapps.ExtractDeploymentStatus(blessed, "status")).Status != nil, "no status of the manager")
}
