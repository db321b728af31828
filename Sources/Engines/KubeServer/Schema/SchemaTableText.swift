// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// Written by scripts/make-schema-table; the format is explained in SchemaTable+Parsing.swift.
// swift-format-ignore-file

/// The built-in types of the Kubernetes API (v1.36), one a line.
let schemaTableText = #"""
~io.k8s.api.|^io.k8s.apimachinery.pkg.|%io.k8s.apiextensions-apiserver.pkg.apis.
~admissionregistration.v1.ApplyConfiguration|expression s O
~admissionregistration.v1.AuditAnnotation|key s ! Z|valueExpression s ! Z
~admissionregistration.v1.ExpressionWarning|fieldRef s ! Z|warning s ! Z
~admissionregistration.v1.JSONPatch|expression s O
~admissionregistration.v1.MatchCondition|name s ! Z|expression s ! Z
~admissionregistration.v1.MatchResources A|namespaceSelector @490|objectSelector @490|resourceRules [@13 A|excludeResourceRules [@13 A|matchPolicy s
~admissionregistration.v1.MutatingAdmissionPolicy K=admissionregistration.k8s.io/v1/MutatingAdmissionPolicy|kind s O|apiVersion s O|metadata @494 Z|spec @9 Z
~admissionregistration.v1.MutatingAdmissionPolicyBinding K=admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding|kind s O|apiVersion s O|metadata @494 Z|spec @8 Z
~admissionregistration.v1.MutatingAdmissionPolicyBindingSpec|policyName s O|paramRef @15|matchResources @5
~admissionregistration.v1.MutatingAdmissionPolicySpec|paramKind @14|matchConstraints @5|variables [@27 A|mutations [@12 A|failurePolicy s|matchConditions [@4 L=name P=merge M=name|reinvocationPolicy s O
~admissionregistration.v1.MutatingWebhook|name s ! Z|clientConfig @28 ! Z|rules [@16 A|failurePolicy s|matchPolicy s|namespaceSelector @490|objectSelector @490|sideEffects s !|timeoutSeconds i|admissionReviewVersions [s ! A|reinvocationPolicy s|matchConditions [@4 L=name P=merge M=name
~admissionregistration.v1.MutatingWebhookConfiguration K=admissionregistration.k8s.io/v1/MutatingWebhookConfiguration|kind s O|apiVersion s O|metadata @494 Z|webhooks [@10 L=name P=merge M=name
~admissionregistration.v1.Mutation|patchType s ! Z|applyConfiguration @0|jsonPatch @3
~admissionregistration.v1.NamedRuleWithOperations A|resourceNames [s A|operations [s A|apiGroups [s A|apiVersions [s A|resources [s A|scope s
~admissionregistration.v1.ParamKind A|apiVersion s O|kind s O
~admissionregistration.v1.ParamRef A|name s O|namespace s O|selector @490|parameterNotFoundAction s
~admissionregistration.v1.RuleWithOperations|operations [s A|apiGroups [s A|apiVersions [s A|resources [s A|scope s
~admissionregistration.v1.ServiceReference|namespace s ! Z|name s ! Z|path s|port i
~admissionregistration.v1.TypeChecking|expressionWarnings [@2 A
~admissionregistration.v1.ValidatingAdmissionPolicy K=admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy|kind s O|apiVersion s O|metadata @494 Z|spec @22 Z|status @23 Z
~admissionregistration.v1.ValidatingAdmissionPolicyBinding K=admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding|kind s O|apiVersion s O|metadata @494 Z|spec @21 ! Z
~admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec|policyName s ! O|paramRef @15|matchResources @5|validationActions [s ! S
~admissionregistration.v1.ValidatingAdmissionPolicySpec|paramKind @14|matchConstraints @5|validations [@26 A|failurePolicy s|auditAnnotations [@1 A|matchConditions [@4 L=name P=merge M=name|variables [@27 L=name P=merge M=name
~admissionregistration.v1.ValidatingAdmissionPolicyStatus|observedGeneration l O|typeChecking @18|conditions [@486 L=type
~admissionregistration.v1.ValidatingWebhook|name s ! Z|clientConfig @28 ! Z|rules [@16 A|failurePolicy s|matchPolicy s|namespaceSelector @490|objectSelector @490|sideEffects s !|timeoutSeconds i|admissionReviewVersions [s ! A|matchConditions [@4 L=name P=merge M=name
~admissionregistration.v1.ValidatingWebhookConfiguration K=admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration|kind s O|apiVersion s O|metadata @494 Z|webhooks [@24 L=name P=merge M=name
~admissionregistration.v1.Validation|expression s ! Z|message s O|reason s|messageExpression s O
~admissionregistration.v1.Variable A|name s ! Z|expression s ! Z
~admissionregistration.v1.WebhookClientConfig|url s|service @17|caBundle y O
~apps.v1.ControllerRevision K=apps/v1/ControllerRevision|kind s O|apiVersion s O|metadata @494 Z|data o|revision l ! Z
~apps.v1.DaemonSet K=apps/v1/DaemonSet|kind s O|apiVersion s O|metadata @494 Z|spec @32 Z|status @33 Z
~apps.v1.DaemonSetCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s O|message s O
~apps.v1.DaemonSetSpec|selector @490 !|template @272 ! Z|updateStrategy @34 Z|minReadySeconds i O|revisionHistoryLimit i
~apps.v1.DaemonSetStatus|currentNumberScheduled i ! Z|numberMisscheduled i ! Z|desiredNumberScheduled i ! Z|numberReady i ! Z|observedGeneration l O|updatedNumberScheduled i O|numberAvailable i O|numberUnavailable i O|collisionCount i|conditions [@31 L=type P=merge M=type
~apps.v1.DaemonSetUpdateStrategy|type s O T=v1.DaemonSetUpdateStrategyType|rollingUpdate @44
~apps.v1.Deployment K=apps/v1/Deployment|kind s O|apiVersion s O|metadata @494 Z|spec @37 Z|status @38 Z
~apps.v1.DeploymentCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastUpdateTime t Z|lastTransitionTime t Z|reason s O|message s O
~apps.v1.DeploymentSpec|replicas i|selector @490 !|template @272 ! Z|strategy @39 Z P=retainKeys|minReadySeconds i O|revisionHistoryLimit i|paused b O|progressDeadlineSeconds i
~apps.v1.DeploymentStatus|observedGeneration l O|replicas i O|updatedReplicas i O|readyReplicas i O|availableReplicas i O|unavailableReplicas i O|terminatingReplicas i|conditions [@36 L=type P=merge M=type|collisionCount i
~apps.v1.DeploymentStrategy|type s O T=v1.DeploymentStrategyType|rollingUpdate @45
~apps.v1.ReplicaSet K=apps/v1/ReplicaSet|kind s O|apiVersion s O|metadata @494 Z|spec @42 Z|status @43 Z
~apps.v1.ReplicaSetCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastTransitionTime t Z|reason s O|message s O
~apps.v1.ReplicaSetSpec|replicas i|minReadySeconds i O|selector @490 !|template @272 Z
~apps.v1.ReplicaSetStatus|replicas i ! Z|fullyLabeledReplicas i O|readyReplicas i O|availableReplicas i O|terminatingReplicas i|observedGeneration l O|conditions [@41 L=type P=merge M=type
~apps.v1.RollingUpdateDaemonSet|maxUnavailable I|maxSurge I
~apps.v1.RollingUpdateDeployment|maxUnavailable I|maxSurge I
~apps.v1.RollingUpdateStatefulSetStrategy|partition i|maxUnavailable I
~apps.v1.StatefulSet K=apps/v1/StatefulSet|kind s O|apiVersion s O|metadata @494 Z|spec @51 Z|status @52 Z
~apps.v1.StatefulSetCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s O|message s O
~apps.v1.StatefulSetOrdinals|start i Z
~apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy|whenDeleted s O|whenScaled s O
~apps.v1.StatefulSetSpec|replicas i|selector @490 !|template @272 ! Z|volumeClaimTemplates [@243 A|serviceName s Z|podManagementPolicy s O T=v1.PodManagementPolicyType|updateStrategy @53 Z|revisionHistoryLimit i|minReadySeconds i O|persistentVolumeClaimRetentionPolicy @50|ordinals @49
~apps.v1.StatefulSetStatus|observedGeneration l O|replicas i ! Z|readyReplicas i O|currentReplicas i O|updatedReplicas i O|currentRevision s O|updateRevision s O|collisionCount i|conditions [@48 L=type P=merge M=type|availableReplicas i Z
~apps.v1.StatefulSetUpdateStrategy|type s O T=v1.StatefulSetUpdateStrategyType|rollingUpdate @46
~authentication.v1.BoundObjectReference|kind s O|apiVersion s O|name s O|uid s O
~authentication.v1.SelfSubjectReview K=authentication.k8s.io/v1/SelfSubjectReview|kind s O|apiVersion s O|metadata @494 Z|status @56 Z
~authentication.v1.SelfSubjectReviewStatus|userInfo @63 Z
~authentication.v1.TokenRequest K=authentication.k8s.io/v1/TokenRequest|kind s O|apiVersion s O|metadata @494 Z|spec @58 Z|status @59 Z
~authentication.v1.TokenRequestSpec|audiences [s A|expirationSeconds l|boundObjectRef @54 N
~authentication.v1.TokenRequestStatus|token s Z|expirationTimestamp t
~authentication.v1.TokenReview K=authentication.k8s.io/v1/TokenReview|kind s O|apiVersion s O|metadata @494 Z|spec @61 ! Z|status @62 Z
~authentication.v1.TokenReviewSpec|token s ! O|audiences [s A
~authentication.v1.TokenReviewStatus|authenticated b O|user @63 Z|audiences [s A|error s O
~authentication.v1.UserInfo|username s O|uid s O|groups [s A|extra {[s
~authorization.v1.FieldSelectorAttributes|rawSelector s O|requirements [@488 A
~authorization.v1.LabelSelectorAttributes|rawSelector s O|requirements [@491 A
~authorization.v1.LocalSubjectAccessReview K=authorization.k8s.io/v1/LocalSubjectAccessReview|kind s O|apiVersion s O|metadata @494 Z|spec @76 ! Z|status @77 Z
~authorization.v1.NonResourceAttributes|path s O|verb s O
~authorization.v1.NonResourceRule|verbs [s ! A|nonResourceURLs [s A
~authorization.v1.ResourceAttributes|namespace s O|verb s O|group s O|version s O|resource s O|subresource s O|name s O|fieldSelector @64|labelSelector @65
~authorization.v1.ResourceRule|verbs [s ! A|apiGroups [s A|resources [s A|resourceNames [s A
~authorization.v1.SelfSubjectAccessReview K=authorization.k8s.io/v1/SelfSubjectAccessReview|kind s O|apiVersion s O|metadata @494 Z|spec @72 ! Z|status @77 Z
~authorization.v1.SelfSubjectAccessReviewSpec|resourceAttributes @69|nonResourceAttributes @67
~authorization.v1.SelfSubjectRulesReview K=authorization.k8s.io/v1/SelfSubjectRulesReview|kind s O|apiVersion s O|metadata @494 Z|spec @74 ! Z|status @78 Z
~authorization.v1.SelfSubjectRulesReviewSpec|namespace s O
~authorization.v1.SubjectAccessReview K=authorization.k8s.io/v1/SubjectAccessReview|kind s O|apiVersion s O|metadata @494 Z|spec @76 ! Z|status @77 Z
~authorization.v1.SubjectAccessReviewSpec|resourceAttributes @69|nonResourceAttributes @67|user s O|groups [s A|extra {[s|uid s O
~authorization.v1.SubjectAccessReviewStatus|allowed b ! Z|denied b O|reason s O|evaluationError s O
~authorization.v1.SubjectRulesReviewStatus|resourceRules [@70 ! A|nonResourceRules [@68 ! A|incomplete b ! Z|evaluationError s O
~autoscaling.v1.CrossVersionObjectReference A|kind s !|name s !|apiVersion s O
~autoscaling.v1.HorizontalPodAutoscaler K=autoscaling/v1/HorizontalPodAutoscaler|kind s O|apiVersion s O|metadata @494|spec @81 !|status @82
~autoscaling.v1.HorizontalPodAutoscalerSpec|scaleTargetRef @79 !|minReplicas i|maxReplicas i !|targetCPUUtilizationPercentage i
~autoscaling.v1.HorizontalPodAutoscalerStatus|observedGeneration l|lastScaleTime t|currentReplicas i !|desiredReplicas i !|currentCPUUtilizationPercentage i
~autoscaling.v1.Scale K=autoscaling/v1/Scale|kind s O|apiVersion s O|metadata @494 Z|spec @84 Z|status @85 Z
~autoscaling.v1.ScaleSpec|replicas i O D=0
~autoscaling.v1.ScaleStatus|replicas i ! Z|selector s O
~autoscaling.v2.ContainerResourceMetricSource|name s ! Z|target @101 ! Z|container s ! Z
~autoscaling.v2.ContainerResourceMetricStatus|name s ! Z|current @102 ! Z|container s ! Z
~autoscaling.v2.CrossVersionObjectReference|kind s ! Z|name s ! Z|apiVersion s O
~autoscaling.v2.ExternalMetricSource|metric @98 ! Z|target @101 ! Z
~autoscaling.v2.ExternalMetricStatus|metric @98 ! Z|current @102 ! Z
~autoscaling.v2.HPAScalingPolicy|type s ! Z|value i ! Z|periodSeconds i ! Z
~autoscaling.v2.HPAScalingRules|stabilizationWindowSeconds i|selectPolicy s|policies [@91 A|tolerance q
~autoscaling.v2.HorizontalPodAutoscaler K=autoscaling/v2/HorizontalPodAutoscaler|kind s O|apiVersion s O|metadata @494 Z|spec @96 ! Z|status @97 Z
~autoscaling.v2.HorizontalPodAutoscalerBehavior|scaleUp @92|scaleDown @92
~autoscaling.v2.HorizontalPodAutoscalerCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s O|message s O
~autoscaling.v2.HorizontalPodAutoscalerSpec|scaleTargetRef @88 ! Z|minReplicas i|maxReplicas i ! Z|metrics [@99 A|behavior @94
~autoscaling.v2.HorizontalPodAutoscalerStatus|observedGeneration l|lastScaleTime t|currentReplicas i O|desiredReplicas i ! Z|currentMetrics [@100 N A|conditions [@95 L=type P=merge M=type
~autoscaling.v2.MetricIdentifier|name s ! Z|selector @490
~autoscaling.v2.MetricSpec|type s ! Z|object @103|pods @105|resource @107|containerResource @86|external @89
~autoscaling.v2.MetricStatus|type s ! Z|object @104|pods @106|resource @108|containerResource @87|external @90
~autoscaling.v2.MetricTarget|type s ! Z|value q|averageValue q|averageUtilization i
~autoscaling.v2.MetricValueStatus|value q|averageValue q|averageUtilization i
~autoscaling.v2.ObjectMetricSource|describedObject @88 ! Z|target @101 ! Z|metric @98 ! Z
~autoscaling.v2.ObjectMetricStatus|metric @98 ! Z|current @102 ! Z|describedObject @88 ! Z
~autoscaling.v2.PodsMetricSource|metric @98 ! Z|target @101 ! Z
~autoscaling.v2.PodsMetricStatus|metric @98 ! Z|current @102 ! Z
~autoscaling.v2.ResourceMetricSource|name s ! Z|target @101 ! Z
~autoscaling.v2.ResourceMetricStatus|name s ! Z|current @102 ! Z
~batch.v1.CronJob K=batch/v1/CronJob|kind s O|apiVersion s O|metadata @494 Z|spec @110 ! Z|status @111 Z
~batch.v1.CronJobSpec|schedule s ! Z|timeZone s|startingDeadlineSeconds l|concurrencyPolicy s O T=v1.ConcurrencyPolicy|suspend b|jobTemplate @116 ! Z|successfulJobsHistoryLimit i|failedJobsHistoryLimit i
~batch.v1.CronJobStatus|active [@241 A|lastScheduleTime t|lastSuccessfulTime t
~batch.v1.Job K=batch/v1/Job|kind s O|apiVersion s O|metadata @494 Z|spec @114 Z|status @115 Z
~batch.v1.JobCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastProbeTime t Z|lastTransitionTime t Z|reason s O|message s O
~batch.v1.JobSpec|parallelism i|completions i|activeDeadlineSeconds l|podFailurePolicy @117|successPolicy @121|backoffLimit i|backoffLimitPerIndex i|maxFailedIndexes i|selector @490|manualSelector b|template @272 ! Z|ttlSecondsAfterFinished i|completionMode s T=v1.CompletionMode|suspend b|podReplacementPolicy s|managedBy s
~batch.v1.JobStatus|conditions [@113 A P=merge M=type|startTime t|completionTime t|active i O|succeeded i O|failed i O|terminating i|completedIndexes s O|failedIndexes s|uncountedTerminatedPods @123|ready i
~batch.v1.JobTemplateSpec|metadata @494 Z|spec @114 Z
~batch.v1.PodFailurePolicy|rules [@120 ! A
~batch.v1.PodFailurePolicyOnExitCodesRequirement|containerName s|operator s ! Z|values [i ! S
~batch.v1.PodFailurePolicyOnPodConditionsPattern|type s ! Z|status s Z
~batch.v1.PodFailurePolicyRule|action s ! Z|onExitCodes @118|onPodConditions [@119 A
~batch.v1.SuccessPolicy|rules [@122 ! A
~batch.v1.SuccessPolicyRule|succeededIndexes s|succeededCount i
~batch.v1.UncountedTerminatedPods|succeeded [s S|failed [s S
~certificates.v1.CertificateSigningRequest K=certificates.k8s.io/v1/CertificateSigningRequest|kind s O|apiVersion s O|metadata @494|spec @126 !|status @127
~certificates.v1.CertificateSigningRequestCondition|type s !|status s !|reason s O|message s O|lastUpdateTime t Z|lastTransitionTime t Z
~certificates.v1.CertificateSigningRequestSpec|request y !|signerName s !|expirationSeconds i|usages [s A|username s O|uid s O|groups [s A|extra {[s
~certificates.v1.CertificateSigningRequestStatus|conditions [@125 L=type|certificate y O
~coordination.v1.Lease K=coordination.k8s.io/v1/Lease|kind s O|apiVersion s O|metadata @494 Z|spec @129 Z
~coordination.v1.LeaseSpec|holderIdentity s|leaseDurationSeconds i|acquireTime u|renewTime u|leaseTransitions i|strategy s|preferredHolder s
~core.v1.AWSElasticBlockStoreVolumeSource|volumeID s ! Z|fsType s O|partition i O|readOnly b O
~core.v1.Affinity|nodeAffinity @224|podAffinity @253|podAntiAffinity @255
~core.v1.AppArmorProfile|type s ! Z|localhostProfile s
~core.v1.AttachedVolume|name s ! Z|devicePath s ! Z
~core.v1.AzureDiskVolumeSource|diskName s ! Z|diskURI s ! Z|cachingMode s D="ReadWrite"|fsType s D="ext4"|readOnly b Z|kind s D="Shared"
~core.v1.AzureFilePersistentVolumeSource|secretName s ! Z|shareName s ! Z|readOnly b O|secretNamespace s N
~core.v1.AzureFileVolumeSource|secretName s ! Z|shareName s ! Z|readOnly b O
~core.v1.Binding K=/v1/Binding|kind s O|apiVersion s O|metadata @494 Z|target @241 ! Z
~core.v1.CSIPersistentVolumeSource|driver s ! Z|volumeHandle s ! Z|readOnly b O|fsType s O|volumeAttributes {s|controllerPublishSecretRef @303|nodeStageSecretRef @303|nodePublishSecretRef @303|controllerExpandSecretRef @303|nodeExpandSecretRef @303
~core.v1.CSIVolumeSource|driver s ! Z|readOnly b|fsType s|volumeAttributes {s|nodePublishSecretRef @214
~core.v1.Capabilities|add [s A|drop [s A
~core.v1.CephFSPersistentVolumeSource|monitors [s ! A|path s O|user s O|secretFile s O|secretRef @303|readOnly b O
~core.v1.CephFSVolumeSource|monitors [s ! A|path s O|user s O|secretFile s O|secretRef @214|readOnly b O
~core.v1.CinderPersistentVolumeSource|volumeID s ! Z|fsType s O|readOnly b O|secretRef @303
~core.v1.CinderVolumeSource|volumeID s ! Z|fsType s O|readOnly b O|secretRef @214
~core.v1.ClientIPConfig|timeoutSeconds i
~core.v1.ClusterTrustBundleProjection|name s|signerName s|labelSelector @490|optional b|path s ! Z
~core.v1.ComponentCondition|type s ! Z|status s ! Z|message s O|error s O
~core.v1.ComponentStatus K=/v1/ComponentStatus|kind s O|apiVersion s O|metadata @494 Z|conditions [@147 L=type P=merge M=type
~core.v1.ConfigMap K=/v1/ConfigMap|kind s O|apiVersion s O|metadata @494 Z|immutable b|data {s|binaryData {y
~core.v1.ConfigMapEnvSource|name s O D=""|optional b
~core.v1.ConfigMapKeySelector A|name s O D=""|key s ! Z|optional b
~core.v1.ConfigMapNodeConfigSource|namespace s ! Z|name s ! Z|uid s O|resourceVersion s O|kubeletConfigKey s ! Z
~core.v1.ConfigMapProjection|name s O D=""|items [@205 A|optional b
~core.v1.ConfigMapVolumeSource|name s O D=""|items [@205 A|defaultMode i|optional b
~core.v1.Container|name s ! Z|image s O|command [s A|args [s A|workingDir s O|ports [@158 L=containerPort,protocol P=merge M=containerPort|envFrom [@177 A|env [@178 L=name P=merge M=name|resources @291 Z|resizePolicy [@159 A|restartPolicy s T=v1.ContainerRestartPolicy|restartPolicyRules [@160 A|volumeMounts [@327 L=mountPath P=merge M=mountPath|volumeDevices [@326 L=devicePath P=merge M=devicePath|livenessProbe @276|readinessProbe @276|startupProbe @276|lifecycle @206|terminationMessagePath s O|terminationMessagePolicy s O T=v1.TerminationMessagePolicy|imagePullPolicy s O T=v1.PullPolicy|securityContext @305|stdin b O|stdinOnce b O|tty b O
~core.v1.ContainerExtendedResourceRequest|containerName s ! Z|resourceName s ! Z|requestName s ! Z
~core.v1.ContainerImage|names [s N A|sizeBytes l O
~core.v1.ContainerPort|name s O|hostPort i O|containerPort i ! Z|protocol s O D="TCP" T=v1.Protocol|hostIP s O
~core.v1.ContainerResizePolicy|resourceName s ! Z|restartPolicy s ! Z
~core.v1.ContainerRestartRule|action s ! O|exitCodes @161
~core.v1.ContainerRestartRuleOnExitCodes|operator s ! O|values [i S
~core.v1.ContainerState|waiting @165|running @163|terminated @164
~core.v1.ContainerStateRunning|startedAt t Z
~core.v1.ContainerStateTerminated|exitCode i ! Z|signal i O|reason s O|message s O|startedAt t Z|finishedAt t Z|containerID s O
~core.v1.ContainerStateWaiting|reason s O|message s O
~core.v1.ContainerStatus|name s ! Z|state @162 Z|lastState @162 Z|ready b ! Z|restartCount i ! Z|image s ! Z|imageID s ! Z|containerID s O|started b|allocatedResources {q|resources @291|volumeMounts [@328 L=mountPath P=merge M=mountPath|user @167|allocatedResourcesStatus [@292 L=name P=merge M=name|stopSignal s
~core.v1.ContainerUser|linux @211
~core.v1.DaemonEndpoint|Port i ! Z
~core.v1.DownwardAPIProjection|items [@170 A
~core.v1.DownwardAPIVolumeFile|path s ! Z|fieldRef @240|resourceFieldRef @286|mode i
~core.v1.DownwardAPIVolumeSource|items [@170 A|defaultMode i
~core.v1.EmptyDirVolumeSource|medium s O T=v1.StorageMedium|sizeLimit q
~core.v1.EndpointAddress A|ip s ! Z|hostname s O|nodeName s|targetRef @241
~core.v1.EndpointPort A|name s O|port i ! Z|protocol s O T=v1.Protocol|appProtocol s
~core.v1.EndpointSubset|addresses [@173 A|notReadyAddresses [@173 A|ports [@174 A
~core.v1.Endpoints K=/v1/Endpoints|kind s O|apiVersion s O|metadata @494 Z|subsets [@175 A
~core.v1.EnvFromSource|prefix s O|configMapRef @150|secretRef @300
~core.v1.EnvVar|name s ! Z|value s O|valueFrom @179
~core.v1.EnvVarSource|fieldRef @240|resourceFieldRef @286|configMapKeyRef @151|secretKeyRef @301|fileKeyRef @187
~core.v1.EphemeralContainer|name s ! Z|image s O|command [s A|args [s A|workingDir s O|ports [@158 L=containerPort,protocol P=merge M=containerPort|envFrom [@177 A|env [@178 L=name P=merge M=name|resources @291 Z|resizePolicy [@159 A|restartPolicy s T=v1.ContainerRestartPolicy|restartPolicyRules [@160 A|volumeMounts [@327 L=mountPath P=merge M=mountPath|volumeDevices [@326 L=devicePath P=merge M=devicePath|livenessProbe @276|readinessProbe @276|startupProbe @276|lifecycle @206|terminationMessagePath s O|terminationMessagePolicy s O T=v1.TerminationMessagePolicy|imagePullPolicy s O T=v1.PullPolicy|securityContext @305|stdin b O|stdinOnce b O|tty b O|targetContainerName s O
~core.v1.EphemeralVolumeSource|volumeClaimTemplate @247
~core.v1.Event K=/v1/Event|kind s O|apiVersion s O|metadata @494 ! Z|involvedObject @241 ! Z|reason s O|message s O|source @184 Z|firstTimestamp t Z|lastTimestamp t Z|count i O|type s O|eventTime u Z|series @183|action s O|related @241|reportingComponent s Z|reportingInstance s Z
~core.v1.EventSeries|count i O|lastObservedTime u
~core.v1.EventSource|component s O|host s O
~core.v1.ExecAction|command [s A
~core.v1.FCVolumeSource|targetWWNs [s A|lun i|fsType s O|readOnly b O|wwids [s A
~core.v1.FileKeySelector A|volumeName s ! Z|path s ! Z|key s ! Z|optional b Z
~core.v1.FlexPersistentVolumeSource|driver s ! Z|fsType s O|secretRef @303|readOnly b O|options {s
~core.v1.FlexVolumeSource|driver s ! Z|fsType s O|secretRef @214|readOnly b O|options {s
~core.v1.FlockerVolumeSource|datasetName s O|datasetUUID s O
~core.v1.GCEPersistentDiskVolumeSource|pdName s ! Z|fsType s O|partition i O|readOnly b O
~core.v1.GRPCAction|port i ! Z|service s Z
~core.v1.GitRepoVolumeSource|repository s ! Z|revision s O|directory s O
~core.v1.GlusterfsPersistentVolumeSource|endpoints s ! Z|path s ! Z|readOnly b O|endpointsNamespace s
~core.v1.GlusterfsVolumeSource|endpoints s ! Z|path s ! Z|readOnly b O
~core.v1.HTTPGetAction|path s O|port I !|host s O|scheme s O T=v1.URIScheme|httpHeaders [@197 A
~core.v1.HTTPHeader|name s ! Z|value s ! Z
~core.v1.HostAlias|ip s ! Z|hostnames [s A
~core.v1.HostIP|ip s ! Z
~core.v1.HostPathVolumeSource|path s ! Z|type s T=v1.HostPathType
~core.v1.ISCSIPersistentVolumeSource|targetPortal s ! Z|iqn s ! Z|lun i ! Z|iscsiInterface s O D="default"|fsType s O|readOnly b O|portals [s A|chapAuthDiscovery b O|chapAuthSession b O|secretRef @303|initiatorName s
~core.v1.ISCSIVolumeSource|targetPortal s ! Z|iqn s ! Z|lun i ! Z|iscsiInterface s O D="default"|fsType s O|readOnly b O|portals [s A|chapAuthDiscovery b O|chapAuthSession b O|secretRef @214|initiatorName s
~core.v1.ImageVolumeSource|reference s O|pullPolicy s O T=v1.PullPolicy
~core.v1.ImageVolumeStatus|imageRef s ! O
~core.v1.KeyToPath|key s ! Z|path s ! Z|mode i
~core.v1.Lifecycle|postStart @207|preStop @207|stopSignal s
~core.v1.LifecycleHandler|exec @185|httpGet @196|tcpSocket @317|sleep @313
~core.v1.LimitRange K=/v1/LimitRange|kind s O|apiVersion s O|metadata @494 Z|spec @210 Z
~core.v1.LimitRangeItem|type s ! Z|max {q|min {q|default {q|defaultRequest {q|maxLimitRequestRatio {q
~core.v1.LimitRangeSpec|limits [@209 ! A
~core.v1.LinuxContainerUser|uid l ! Z|gid l ! Z|supplementalGroups [l A
~core.v1.LoadBalancerIngress|ip s O|hostname s O|ipMode s|ports [@273 A
~core.v1.LoadBalancerStatus|ingress [@212 A
~core.v1.LocalObjectReference A|name s O D=""
~core.v1.LocalVolumeSource|path s ! Z|fsType s
~core.v1.ModifyVolumeStatus|targetVolumeAttributesClassName s O|status s ! Z
~core.v1.NFSVolumeSource|server s ! Z|path s ! Z|readOnly b O
~core.v1.Namespace K=/v1/Namespace|kind s O|apiVersion s O|metadata @494 Z|spec @220 Z|status @221 Z
~core.v1.NamespaceCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s O|message s O
~core.v1.NamespaceSpec|finalizers [s A
~core.v1.NamespaceStatus|phase s O T=v1.NamespacePhase|conditions [@219 L=type P=merge M=type
~core.v1.Node K=/v1/Node|kind s O|apiVersion s O|metadata @494 Z|spec @236 Z|status @237 Z
~core.v1.NodeAddress|type s ! Z|address s ! Z
~core.v1.NodeAffinity|requiredDuringSchedulingIgnoredDuringExecution @233|preferredDuringSchedulingIgnoredDuringExecution [@275 A
~core.v1.NodeAllocatableResourceClaimStatus|resourceClaimName s ! Z|containers [s S|resources {q !
~core.v1.NodeCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastHeartbeatTime t Z|lastTransitionTime t Z|reason s O|message s O
~core.v1.NodeConfigSource|configMap @152
~core.v1.NodeConfigStatus|assigned @227|active @227|lastKnownGood @227|error s O
~core.v1.NodeDaemonEndpoints|kubeletEndpoint @168 Z
~core.v1.NodeFeatures|supplementalGroupsPolicy b
~core.v1.NodeRuntimeHandler|name s Z|features @232
~core.v1.NodeRuntimeHandlerFeatures|recursiveReadOnlyMounts b|userNamespaces b
~core.v1.NodeSelector A|nodeSelectorTerms [@235 ! A
~core.v1.NodeSelectorRequirement|key s ! Z|operator s ! Z T=v1.NodeSelectorOperator|values [s A
~core.v1.NodeSelectorTerm A|matchExpressions [@234 A|matchFields [@234 A
~core.v1.NodeSpec|podCIDR s O|podCIDRs [s S P=merge|providerID s O|unschedulable b O|taints [@318 A|configSource @227|externalID s O
~core.v1.NodeStatus|capacity {q|allocatable {q|phase s O|conditions [@226 L=type P=merge M=type|addresses [@223 L=type P=merge M=type|daemonEndpoints @229 Z|nodeInfo @239 Z|images [@157 A|volumesInUse [s A|volumesAttached [@133 A|config @228|runtimeHandlers [@231 A|features @230|declaredFeatures [s A
~core.v1.NodeSwapStatus|capacity l
~core.v1.NodeSystemInfo|machineID s ! Z|systemUUID s ! Z|bootID s ! Z|kernelVersion s ! Z|osImage s ! Z|containerRuntimeVersion s ! Z|kubeletVersion s ! Z|kubeProxyVersion s ! Z|operatingSystem s ! Z|architecture s ! Z|swap @238
~core.v1.ObjectFieldSelector A|apiVersion s O|fieldPath s ! Z
~core.v1.ObjectReference A|kind s O|namespace s O|name s O|uid s O T=types.UID|apiVersion s O|resourceVersion s O|fieldPath s O
~core.v1.PersistentVolume K=/v1/PersistentVolume|kind s O|apiVersion s O|metadata @494 Z|spec @249 Z|status @250 Z
~core.v1.PersistentVolumeClaim K=/v1/PersistentVolumeClaim|kind s O|apiVersion s O|metadata @494 Z|spec @245 Z|status @246 Z
~core.v1.PersistentVolumeClaimCondition|type s ! Z|status s ! Z|lastProbeTime t Z|lastTransitionTime t Z|reason s O|message s O
~core.v1.PersistentVolumeClaimSpec|accessModes [s A|selector @490|resources @331 Z|volumeName s O|storageClassName s|volumeMode s T=v1.PersistentVolumeMode|dataSource @323|dataSourceRef @324|volumeAttributesClassName s
~core.v1.PersistentVolumeClaimStatus|phase s O|accessModes [s A|capacity {q|conditions [@244 L=type P=merge M=type|allocatedResources {q|allocatedResourceStatuses {s G|currentVolumeAttributesClassName s|modifyVolumeStatus @216
~core.v1.PersistentVolumeClaimTemplate|metadata @494 Z|spec @245 ! Z
~core.v1.PersistentVolumeClaimVolumeSource|claimName s ! Z|readOnly b O
~core.v1.PersistentVolumeSpec|capacity {q|gcePersistentDisk @191|awsElasticBlockStore @130|hostPath @200|glusterfs @194|nfs @217|rbd @279|iscsi @201|cinder @143|cephfs @141|fc @186|flocker @190|flexVolume @188|azureFile @135|vsphereVolume @333|quobyte @278|azureDisk @134|photonPersistentDisk @251|portworxVolume @274|scaleIO @294|local @215|storageos @314|csi @138|accessModes [s A|claimRef @241 G|persistentVolumeReclaimPolicy s O T=v1.PersistentVolumeReclaimPolicy|storageClassName s O|mountOptions [s A|volumeMode s T=v1.PersistentVolumeMode|nodeAffinity @329|volumeAttributesClassName s
~core.v1.PersistentVolumeStatus|phase s O|message s O|reason s O|lastPhaseTransitionTime t
~core.v1.PhotonPersistentDiskVolumeSource|pdID s ! Z|fsType s O
~core.v1.Pod K=/v1/Pod|kind s O|apiVersion s O|metadata @494 Z|spec @269 Z|status @270 Z
~core.v1.PodAffinity|requiredDuringSchedulingIgnoredDuringExecution [@254 A|preferredDuringSchedulingIgnoredDuringExecution [@334 A
~core.v1.PodAffinityTerm|labelSelector @490|namespaces [s A|topologyKey s ! Z|namespaceSelector @490|matchLabelKeys [s A|mismatchLabelKeys [s A
~core.v1.PodAntiAffinity|requiredDuringSchedulingIgnoredDuringExecution [@254 A|preferredDuringSchedulingIgnoredDuringExecution [@334 A
~core.v1.PodCertificateProjection|signerName s ! O|keyType s ! O|maxExpirationSeconds i|credentialBundlePath s O|keyPath s O|certificateChainPath s O|userAnnotations {s
~core.v1.PodCondition|type s ! Z|observedGeneration l O|status s ! Z T=v1.ConditionStatus|lastProbeTime t Z|lastTransitionTime t Z|reason s O|message s O
~core.v1.PodDNSConfig|nameservers [s A|searches [s A|options [@259 A
~core.v1.PodDNSConfigOption|name s O|value s
~core.v1.PodExtendedResourceClaimStatus|requestMappings [@156 ! A|resourceClaimName s ! Z
~core.v1.PodIP|ip s ! Z
~core.v1.PodOS|name s ! Z
~core.v1.PodReadinessGate|conditionType s ! Z
~core.v1.PodResourceClaim|name s ! Z|resourceClaimName s|resourceClaimTemplateName s
~core.v1.PodResourceClaimStatus|name s ! Z|resourceClaimName s
~core.v1.PodSchedulingGate|name s ! Z
~core.v1.PodSchedulingGroup|podGroupName s
~core.v1.PodSecurityContext|seLinuxOptions @293|windowsOptions @335|runAsUser l|runAsGroup l|runAsNonRoot b|supplementalGroups [l A|supplementalGroupsPolicy s|fsGroup l|sysctls [@316 A|fsGroupChangePolicy s|seccompProfile @298|appArmorProfile @132|seLinuxChangePolicy s
~core.v1.PodSpec|volumes [@325 L=name P=merge,retainKeys M=name|initContainers [@155 L=name P=merge M=name|containers [@155 ! L=name P=merge M=name|ephemeralContainers [@180 L=name P=merge M=name|restartPolicy s O T=v1.RestartPolicy|terminationGracePeriodSeconds l|activeDeadlineSeconds l|dnsPolicy s O T=v1.DNSPolicy|nodeSelector {s A|serviceAccountName s O|serviceAccount s O|automountServiceAccountToken b|nodeName s O|hostNetwork b O|hostPID b O|hostIPC b O|shareProcessNamespace b|securityContext @268|imagePullSecrets [@214 L=name P=merge M=name|hostname s O|subdomain s O|affinity @131|schedulerName s O|tolerations [@319 A|hostAliases [@198 L=ip P=merge M=ip|priorityClassName s O|priority i|dnsConfig @258|readinessGates [@263 A|runtimeClassName s|enableServiceLinks b|preemptionPolicy s T=v1.PreemptionPolicy|overhead {q|topologySpreadConstraints [@322 L=topologyKey,whenUnsatisfiable P=merge M=topologyKey|setHostnameAsFQDN b|os @262|hostUsers b|schedulingGates [@266 L=name P=merge M=name|resourceClaims [@264 L=name P=merge,retainKeys M=name|resources @291|hostnameOverride s|schedulingGroup @267
~core.v1.PodStatus|observedGeneration l O|phase s O T=v1.PodPhase|conditions [@257 L=type P=merge M=type|message s O|reason s O|nominatedNodeName s O|hostIP s O|hostIPs [@199 A P=merge M=ip|podIP s O|podIPs [@261 L=ip P=merge M=ip|startTime t|initContainerStatuses [@166 A|containerStatuses [@166 A|qosClass s O|ephemeralContainerStatuses [@166 A|resize s O|resourceClaimStatuses [@265 L=name P=merge,retainKeys M=name|extendedResourceClaimStatus @260|allocatedResources {q|resources @291|nodeAllocatableResourceClaimStatuses [@225 A
~core.v1.PodTemplate K=/v1/PodTemplate|kind s O|apiVersion s O|metadata @494 Z|template @272 Z
~core.v1.PodTemplateSpec|metadata @494 Z|spec @269 Z
~core.v1.PortStatus|port i ! Z|protocol s ! Z|error s
~core.v1.PortworxVolumeSource|volumeID s ! Z|fsType s O|readOnly b O
~core.v1.PreferredSchedulingTerm|weight i ! Z|preference @235 ! Z
~core.v1.Probe|exec @185|httpGet @196|tcpSocket @317|grpc @192|initialDelaySeconds i O|timeoutSeconds i O|periodSeconds i O|successThreshold i O|failureThreshold i O|terminationGracePeriodSeconds l
~core.v1.ProjectedVolumeSource|sources [@330 N A|defaultMode i
~core.v1.QuobyteVolumeSource|registry s ! Z|volume s ! Z|readOnly b O|user s O|group s O|tenant s O
~core.v1.RBDPersistentVolumeSource|monitors [s ! A|image s ! Z|fsType s O|pool s O D="rbd"|user s O D="admin"|keyring s O D="/etc/ceph/keyring"|secretRef @303|readOnly b O
~core.v1.RBDVolumeSource|monitors [s ! A|image s ! Z|fsType s O|pool s O D="rbd"|user s O D="admin"|keyring s O D="/etc/ceph/keyring"|secretRef @214|readOnly b O
~core.v1.ReplicationController K=/v1/ReplicationController|kind s O|apiVersion s O|metadata @494 Z|spec @283 Z|status @284 Z
~core.v1.ReplicationControllerCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s O|message s O
~core.v1.ReplicationControllerSpec|replicas i D=1|minReadySeconds i O D=0|selector {s A|template @272
~core.v1.ReplicationControllerStatus|replicas i ! Z|fullyLabeledReplicas i O|readyReplicas i O|availableReplicas i O|observedGeneration l O|conditions [@282 L=type P=merge M=type
~core.v1.ResourceClaim|name s ! Z|request s O
~core.v1.ResourceFieldSelector A|containerName s O|resource s ! Z|divisor q
~core.v1.ResourceHealth|resourceID s ! Z|health s O|message s
~core.v1.ResourceQuota K=/v1/ResourceQuota|kind s O|apiVersion s O|metadata @494 Z|spec @289 Z|status @290 Z
~core.v1.ResourceQuotaSpec|hard {q|scopes [s A|scopeSelector @296
~core.v1.ResourceQuotaStatus|hard {q|used {q
~core.v1.ResourceRequirements|limits {q|requests {q|claims [@285 L=name
~core.v1.ResourceStatus|name s ! Z|resources [@287 L=resourceID
~core.v1.SELinuxOptions|user s O|role s O|type s O|level s O
~core.v1.ScaleIOPersistentVolumeSource|gateway s ! Z|system s ! Z|secretRef @303 !|sslEnabled b O|protectionDomain s O|storagePool s O|storageMode s O D="ThinProvisioned"|volumeName s O|fsType s O D="xfs"|readOnly b O
~core.v1.ScaleIOVolumeSource|gateway s ! Z|system s ! Z|secretRef @214 !|sslEnabled b O|protectionDomain s O|storagePool s O|storageMode s O D="ThinProvisioned"|volumeName s O|fsType s O D="xfs"|readOnly b O
~core.v1.ScopeSelector A|matchExpressions [@297 A
~core.v1.ScopedResourceSelectorRequirement|scopeName s ! Z|operator s ! Z|values [s A
~core.v1.SeccompProfile|type s ! Z|localhostProfile s
~core.v1.Secret K=/v1/Secret|kind s O|apiVersion s O|metadata @494 Z|immutable b|data {y|stringData {s|type s O T=v1.SecretType
~core.v1.SecretEnvSource|name s O D=""|optional b
~core.v1.SecretKeySelector A|name s O D=""|key s ! Z|optional b
~core.v1.SecretProjection|name s O D=""|items [@205 A|optional b
~core.v1.SecretReference A|name s O|namespace s O
~core.v1.SecretVolumeSource|secretName s O|items [@205 A|defaultMode i|optional b
~core.v1.SecurityContext|capabilities @140|privileged b|seLinuxOptions @293|windowsOptions @335|runAsUser l|runAsGroup l|runAsNonRoot b|readOnlyRootFilesystem b|allowPrivilegeEscalation b|procMount s|seccompProfile @298|appArmorProfile @132
~core.v1.Service K=/v1/Service|kind s O|apiVersion s O|metadata @494 Z|spec @310 Z|status @311 Z
~core.v1.ServiceAccount K=/v1/ServiceAccount|kind s O|apiVersion s O|metadata @494 Z|secrets [@241 L=name P=merge M=name|imagePullSecrets [@214 A|automountServiceAccountToken b
~core.v1.ServiceAccountTokenProjection|audience s O|expirationSeconds l|path s ! Z
~core.v1.ServicePort|name s O|protocol s O D="TCP" T=v1.Protocol|appProtocol s|port i ! Z|targetPort I|nodePort i O
~core.v1.ServiceSpec|ports [@309 L=port,protocol P=merge M=port|selector {s A|clusterIP s O|clusterIPs [s A|type s O T=v1.ServiceType|externalIPs [s A|sessionAffinity s O T=v1.ServiceAffinity|loadBalancerIP s O|loadBalancerSourceRanges [s A|externalName s O|externalTrafficPolicy s O T=v1.ServiceExternalTrafficPolicy|healthCheckNodePort i O|publishNotReadyAddresses b O|sessionAffinityConfig @312|ipFamilies [s A|ipFamilyPolicy s T=v1.IPFamilyPolicy|allocateLoadBalancerNodePorts b|loadBalancerClass s|internalTrafficPolicy s T=v1.ServiceInternalTrafficPolicy|trafficDistribution s
~core.v1.ServiceStatus|loadBalancer @213 Z|conditions [@486 L=type P=merge M=type
~core.v1.SessionAffinityConfig|clientIP @145
~core.v1.SleepAction|seconds l ! Z
~core.v1.StorageOSPersistentVolumeSource|volumeName s O|volumeNamespace s O|fsType s O|readOnly b O|secretRef @241
~core.v1.StorageOSVolumeSource|volumeName s O|volumeNamespace s O|fsType s O|readOnly b O|secretRef @214
~core.v1.Sysctl|name s ! Z|value s ! Z
~core.v1.TCPSocketAction|port I !|host s O
~core.v1.Taint|key s ! Z|value s O|effect s ! Z T=v1.TaintEffect|timeAdded t
~core.v1.Toleration|key s O|operator s O T=v1.TolerationOperator|value s O|effect s O T=v1.TaintEffect|tolerationSeconds l
~core.v1.TopologySelectorLabelRequirement|key s ! Z|values [s ! A
~core.v1.TopologySelectorTerm A|matchLabelExpressions [@320 A
~core.v1.TopologySpreadConstraint|maxSkew i ! Z|topologyKey s ! Z|whenUnsatisfiable s ! Z|labelSelector @490|minDomains i|nodeAffinityPolicy s|nodeTaintsPolicy s|matchLabelKeys [s A
~core.v1.TypedLocalObjectReference A|apiGroup s N|kind s ! Z|name s ! Z
~core.v1.TypedObjectReference|apiGroup s N|kind s ! Z|name s ! Z|namespace s
~core.v1.Volume|name s ! Z|hostPath @200|emptyDir @172|gcePersistentDisk @191|awsElasticBlockStore @130|gitRepo @193|secret @304|nfs @217|iscsi @202|glusterfs @195|persistentVolumeClaim @248|rbd @280|flexVolume @189|cinder @144|cephfs @142|flocker @190|downwardAPI @171|fc @186|azureFile @136|configMap @154|vsphereVolume @333|quobyte @278|azureDisk @134|photonPersistentDisk @251|projected @277|portworxVolume @274|scaleIO @295|storageos @315|csi @139|ephemeral @181|image @203
~core.v1.VolumeDevice|name s ! Z|devicePath s ! Z
~core.v1.VolumeMount|name s ! Z|readOnly b O|recursiveReadOnly s|mountPath s ! Z|subPath s O|mountPropagation s T=v1.MountPropagationMode|subPathExpr s O
~core.v1.VolumeMountStatus|name s ! Z|mountPath s ! Z|readOnly b O|recursiveReadOnly s|volumeStatus @332
~core.v1.VolumeNodeAffinity|required @233
~core.v1.VolumeProjection|secret @302|downwardAPI @169|configMap @153|serviceAccountToken @308|clusterTrustBundle @146|podCertificate @256
~core.v1.VolumeResourceRequirements|limits {q|requests {q
~core.v1.VolumeStatus|image @204
~core.v1.VsphereVirtualDiskVolumeSource|volumePath s ! Z|fsType s O|storagePolicyName s O|storagePolicyID s O
~core.v1.WeightedPodAffinityTerm|weight i ! Z|podAffinityTerm @254 ! Z
~core.v1.WindowsSecurityContextOptions|gmsaCredentialSpecName s|gmsaCredentialSpec s|runAsUserName s|hostProcess b
~discovery.v1.Endpoint|addresses [s ! S|conditions @337 Z|hostname s|targetRef @241|deprecatedTopology {s|nodeName s|zone s|hints @338
~discovery.v1.EndpointConditions|ready b|serving b|terminating b
~discovery.v1.EndpointHints|forZones [@342 A|forNodes [@341 A
~discovery.v1.EndpointPort A|name s|protocol s T=v1.Protocol|port i|appProtocol s
~discovery.v1.EndpointSlice K=discovery.k8s.io/v1/EndpointSlice|kind s O|apiVersion s O|metadata @494 Z|addressType s ! Z T=v1.AddressType|endpoints [@336 N A|ports [@339 N A
~discovery.v1.ForNode|name s ! Z
~discovery.v1.ForZone|name s ! Z
~events.v1.Event K=events.k8s.io/v1/Event|kind s O|apiVersion s O|metadata @494 Z|eventTime u ! Z|series @344|reportingController s O|reportingInstance s O|action s O|reason s O|regarding @241 Z|related @241|note s O|type s O|deprecatedSource @184 Z|deprecatedFirstTimestamp t Z|deprecatedLastTimestamp t Z|deprecatedCount i O
~events.v1.EventSeries|count i ! Z|lastObservedTime u !
~flowcontrol.v1.ExemptPriorityLevelConfiguration|nominalConcurrencyShares i|lendablePercent i
~flowcontrol.v1.FlowDistinguisherMethod|type s !
~flowcontrol.v1.FlowSchema K=flowcontrol.apiserver.k8s.io/v1/FlowSchema|kind s O|apiVersion s O|metadata @494|spec @349|status @350
~flowcontrol.v1.FlowSchemaCondition|type s O|status s O|lastTransitionTime t Z|reason s O|message s O
~flowcontrol.v1.FlowSchemaSpec|priorityLevelConfiguration @358 !|matchingPrecedence i|distinguisherMethod @346|rules [@355 A
~flowcontrol.v1.FlowSchemaStatus|conditions [@348 L=type P=merge M=type
~flowcontrol.v1.GroupSubject|name s !
~flowcontrol.v1.LimitResponse|type s !|queuing @361
~flowcontrol.v1.LimitedPriorityLevelConfiguration|nominalConcurrencyShares i|limitResponse @352|lendablePercent i|borrowingLimitPercent i
~flowcontrol.v1.NonResourcePolicyRule|verbs [s ! S|nonResourceURLs [s ! S
~flowcontrol.v1.PolicyRulesWithSubjects|subjects [@364 ! A|resourceRules [@362 A|nonResourceRules [@354 A
~flowcontrol.v1.PriorityLevelConfiguration K=flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration|kind s O|apiVersion s O|metadata @494|spec @359|status @360
~flowcontrol.v1.PriorityLevelConfigurationCondition|type s O|status s O|lastTransitionTime t Z|reason s O|message s O
~flowcontrol.v1.PriorityLevelConfigurationReference|name s !
~flowcontrol.v1.PriorityLevelConfigurationSpec|type s !|limited @353|exempt @345
~flowcontrol.v1.PriorityLevelConfigurationStatus|conditions [@357 L=type P=merge M=type
~flowcontrol.v1.QueuingConfiguration|queues i|handSize i|queueLengthLimit i
~flowcontrol.v1.ResourcePolicyRule|verbs [s ! S|apiGroups [s ! S|resources [s ! S|clusterScope b O|namespaces [s S
~flowcontrol.v1.ServiceAccountSubject|namespace s !|name s !
~flowcontrol.v1.Subject|kind s !|user @365|group @351|serviceAccount @363
~flowcontrol.v1.UserSubject|name s !
~networking.v1.HTTPIngressPath|path s O|pathType s ! T=v1.PathType|backend @372 ! Z
~networking.v1.HTTPIngressRuleValue|paths [@366 ! A
~networking.v1.IPAddress K=networking.k8s.io/v1/IPAddress|kind s O|apiVersion s O|metadata @494 Z|spec @369 ! Z
~networking.v1.IPAddressSpec|parentRef @390 !
~networking.v1.IPBlock|cidr s ! Z|except [s A
~networking.v1.Ingress K=networking.k8s.io/v1/Ingress|kind s O|apiVersion s O|metadata @494 Z|spec @381 Z|status @382 Z
~networking.v1.IngressBackend|service @380|resource @323
~networking.v1.IngressClass K=networking.k8s.io/v1/IngressClass|kind s O|apiVersion s O|metadata @494 Z|spec @375 Z
~networking.v1.IngressClassParametersReference|apiGroup s|kind s ! Z|name s ! Z|scope s|namespace s
~networking.v1.IngressClassSpec|controller s O|parameters @374
~networking.v1.IngressLoadBalancerIngress|ip s O|hostname s O|ports [@378 A
~networking.v1.IngressLoadBalancerStatus|ingress [@376 A
~networking.v1.IngressPortStatus|port i ! Z|protocol s ! Z|error s
~networking.v1.IngressRule|host s O|http @367
~networking.v1.IngressServiceBackend|name s ! Z|port @391 Z
~networking.v1.IngressSpec|ingressClassName s|defaultBackend @372|tls [@383 A|rules [@379 A
~networking.v1.IngressStatus|loadBalancer @377 Z
~networking.v1.IngressTLS|hosts [s A|secretName s O
~networking.v1.NetworkPolicy K=networking.k8s.io/v1/NetworkPolicy|kind s O|apiVersion s O|metadata @494 Z|spec @389 Z
~networking.v1.NetworkPolicyEgressRule|ports [@388 A|to [@387 A
~networking.v1.NetworkPolicyIngressRule|ports [@388 A|from [@387 A
~networking.v1.NetworkPolicyPeer|podSelector @490|namespaceSelector @490|ipBlock @370
~networking.v1.NetworkPolicyPort|protocol s T=v1.Protocol|port I|endPort i
~networking.v1.NetworkPolicySpec|podSelector @490 Z|ingress [@386 A|egress [@385 A|policyTypes [s A
~networking.v1.ParentReference|group s O|resource s ! O|namespace s O|name s ! O
~networking.v1.ServiceBackendPort A|name s O|number i O
~networking.v1.ServiceCIDR K=networking.k8s.io/v1/ServiceCIDR|kind s O|apiVersion s O|metadata @494 Z|spec @393 Z|status @394 Z
~networking.v1.ServiceCIDRSpec|cidrs [s A
~networking.v1.ServiceCIDRStatus|conditions [@486 L=type P=merge M=type
~node.v1.Overhead|podFixed {q
~node.v1.RuntimeClass K=node.k8s.io/v1/RuntimeClass|kind s O|apiVersion s O|metadata @494|handler s !|overhead @395|scheduling @397
~node.v1.Scheduling|nodeSelector {s A|tolerations [@319 A
~policy.v1.Eviction K=policy/v1/Eviction|kind s O|apiVersion s O|metadata @494 Z|deleteOptions @487
~policy.v1.PodDisruptionBudget K=policy/v1/PodDisruptionBudget|kind s O|apiVersion s O|metadata @494 Z|spec @400 Z|status @401 Z
~policy.v1.PodDisruptionBudgetSpec|minAvailable I|selector @490 P=replace|maxUnavailable I|unhealthyPodEvictionPolicy s
~policy.v1.PodDisruptionBudgetStatus|observedGeneration l O|disruptedPods {t|disruptionsAllowed i Z|currentHealthy i Z|desiredHealthy i Z|expectedPods i Z|conditions [@486 L=type P=merge M=type
~rbac.v1.AggregationRule|clusterRoleSelectors [@490 A
~rbac.v1.ClusterRole K=rbac.authorization.k8s.io/v1/ClusterRole|kind s O|apiVersion s O|metadata @494 Z|rules [@405 N A|aggregationRule @402
~rbac.v1.ClusterRoleBinding K=rbac.authorization.k8s.io/v1/ClusterRoleBinding|kind s O|apiVersion s O|metadata @494 Z|subjects [@409 A|roleRef @408 ! Z
~rbac.v1.PolicyRule|verbs [s ! A|apiGroups [s A|resources [s A|resourceNames [s A|nonResourceURLs [s A
~rbac.v1.Role K=rbac.authorization.k8s.io/v1/Role|kind s O|apiVersion s O|metadata @494 Z|rules [@405 N A
~rbac.v1.RoleBinding K=rbac.authorization.k8s.io/v1/RoleBinding|kind s O|apiVersion s O|metadata @494 Z|subjects [@409 A|roleRef @408 ! Z
~rbac.v1.RoleRef A|apiGroup s Z|kind s ! Z|name s ! Z
~rbac.v1.Subject A|kind s ! Z|apiGroup s O|name s ! Z|namespace s O
~resource.v1.AllocatedDeviceStatus|driver s !|pool s !|device s !|shareID s|conditions [@486 L=type|data o|networkData @437
~resource.v1.AllocationResult|devices @420|nodeSelector @233|allocationTimestamp t
~resource.v1.CELDeviceSelector|expression s !
~resource.v1.CapacityRequestPolicy|default q|validValues [q A|validRange @414
~resource.v1.CapacityRequestPolicyRange|min q !|max q|step q
~resource.v1.CapacityRequirements|requests {q
~resource.v1.Counter|value q !
~resource.v1.CounterSet|name s !|counters {@416 !
~resource.v1.Device|name s !|attributes {@421|capacity {@422|consumesCounters [@429 A|nodeName s|nodeSelector @233|allNodes b|taints [@434 A|bindsToNode b|bindingConditions [s A|bindingFailureConditions [s A|allowMultipleAllocations b|nodeAllocatableResourceMappings {@438
~resource.v1.DeviceAllocationConfiguration|source s !|requests [s A|opaque @439
~resource.v1.DeviceAllocationResult|results [@431 A|config [@419 A
~resource.v1.DeviceAttribute|int l|bool b|string s|version s|ints [l A|bools [b A|strings [s A|versions [s A
~resource.v1.DeviceCapacity|value q !|requestPolicy @413
~resource.v1.DeviceClaim|requests [@430 A|constraints [@428 A|config [@424 A
~resource.v1.DeviceClaimConfiguration|requests [s A|opaque @439
~resource.v1.DeviceClass K=resource.k8s.io/v1/DeviceClass|kind s O|apiVersion s O|metadata @494|spec @427 !
~resource.v1.DeviceClassConfiguration|opaque @439
~resource.v1.DeviceClassSpec|selectors [@432 A|config [@426 A|extendedResourceName s
~resource.v1.DeviceConstraint|requests [s A|matchAttribute s|distinctAttribute s
~resource.v1.DeviceCounterConsumption|counterSet s !|counters {@416 !
~resource.v1.DeviceRequest|name s !|exactly @436|firstAvailable [@433 A
~resource.v1.DeviceRequestAllocationResult|request s !|driver s !|pool s !|device s !|adminAccess b|tolerations [@435 A|bindingConditions [s A|bindingFailureConditions [s A|shareID s|consumedCapacity {q
~resource.v1.DeviceSelector|cel @412
~resource.v1.DeviceSubRequest|name s !|deviceClassName s !|selectors [@432 A|allocationMode s O|count l O|tolerations [@435 A|capacity @415
~resource.v1.DeviceTaint|key s !|value s O|effect s !|timeAdded t
~resource.v1.DeviceToleration|key s O|operator s O|value s O|effect s O|tolerationSeconds l
~resource.v1.ExactDeviceRequest|deviceClassName s !|selectors [@432 A|allocationMode s O|count l O|adminAccess b|tolerations [@435 A|capacity @415
~resource.v1.NetworkDeviceData|interfaceName s O|ips [s A|hardwareAddress s O
~resource.v1.NodeAllocatableResourceMapping|capacityKey s|allocationMultiplier q
~resource.v1.OpaqueDeviceConfiguration|driver s !|parameters o !
~resource.v1.ResourceClaim K=resource.k8s.io/v1/ResourceClaim|kind s O|apiVersion s O|metadata @494|spec @442 !|status @443
~resource.v1.ResourceClaimConsumerReference|apiGroup s O|resource s !|name s !|uid s !
~resource.v1.ResourceClaimSpec|devices @423
~resource.v1.ResourceClaimStatus|allocation @411|reservedFor [@441 L=uid P=merge M=uid|devices [@410 L=driver,device,pool,shareID
~resource.v1.ResourceClaimTemplate K=resource.k8s.io/v1/ResourceClaimTemplate|kind s O|apiVersion s O|metadata @494|spec @445 !
~resource.v1.ResourceClaimTemplateSpec|metadata @494|spec @442 !
~resource.v1.ResourcePool|name s !|generation l !|resourceSliceCount l !
~resource.v1.ResourceSlice K=resource.k8s.io/v1/ResourceSlice|kind s O|apiVersion s O|metadata @494|spec @448 !
~resource.v1.ResourceSliceSpec|driver s !|pool @446 !|nodeName s|nodeSelector @233|allNodes b|devices [@418 A|perDeviceNodeSelection b|sharedCounters [@417 A
~scheduling.v1.PriorityClass K=scheduling.k8s.io/v1/PriorityClass|kind s O|apiVersion s O|metadata @494 Z|value i Z|globalDefault b O|description s O|preemptionPolicy s T=v1.PreemptionPolicy
~storage.v1.CSIDriver K=storage.k8s.io/v1/CSIDriver|kind s O|apiVersion s O|metadata @494 Z|spec @451 ! Z
~storage.v1.CSIDriverSpec|attachRequired b|podInfoOnMount b|volumeLifecycleModes [s S|storageCapacity b|fsGroupPolicy s|tokenRequests [@457 A|requiresRepublish b|seLinuxMount b|nodeAllocatableUpdatePeriodSeconds l|serviceAccountTokenInSecrets b|preventPodSchedulingIfMissing b
~storage.v1.CSINode K=storage.k8s.io/v1/CSINode|kind s O|apiVersion s O|metadata @494 Z|spec @454 ! Z
~storage.v1.CSINodeDriver|name s ! Z|nodeID s ! Z|topologyKeys [s N A|allocatable @464
~storage.v1.CSINodeSpec|drivers [@453 ! L=name P=merge M=name
~storage.v1.CSIStorageCapacity K=storage.k8s.io/v1/CSIStorageCapacity|kind s O|apiVersion s O|metadata @494 Z|nodeTopology @490|storageClassName s ! Z|capacity q|maximumVolumeSize q
~storage.v1.StorageClass K=storage.k8s.io/v1/StorageClass|kind s O|apiVersion s O|metadata @494 Z|provisioner s ! Z|parameters {s|reclaimPolicy s T=v1.PersistentVolumeReclaimPolicy|mountOptions [s A|allowVolumeExpansion b|volumeBindingMode s T=v1.VolumeBindingMode|allowedTopologies [@321 A
~storage.v1.TokenRequest|audience s ! Z|expirationSeconds l
~storage.v1.VolumeAttachment K=storage.k8s.io/v1/VolumeAttachment|kind s O|apiVersion s O|metadata @494 Z|spec @460 ! Z|status @461 Z
~storage.v1.VolumeAttachmentSource|persistentVolumeName s|inlineVolumeSpec @249
~storage.v1.VolumeAttachmentSpec|attacher s ! Z|source @459 ! Z|nodeName s ! Z
~storage.v1.VolumeAttachmentStatus|attached b ! Z|attachmentMetadata {s|attachError @463|detachError @463
~storage.v1.VolumeAttributesClass K=storage.k8s.io/v1/VolumeAttributesClass|kind s O|apiVersion s O|metadata @494 Z|driverName s ! Z|parameters {s
~storage.v1.VolumeError|time t|message s O|errorCode i
~storage.v1.VolumeNodeResources|count i
%apiextensions.v1.CustomResourceColumnDefinition|name s ! Z|type s ! Z|format s O|description s O|priority i O|jsonPath s ! Z
%apiextensions.v1.CustomResourceConversion|strategy s ! Z|webhook @483
%apiextensions.v1.CustomResourceDefinition K=apiextensions.k8s.io/v1/CustomResourceDefinition|kind s O|apiVersion s O|metadata @494 Z|spec @470 ! Z|status @471 Z
%apiextensions.v1.CustomResourceDefinitionCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s O|message s O|observedGeneration l O
%apiextensions.v1.CustomResourceDefinitionNames|plural s ! Z|singular s O|shortNames [s A|kind s ! Z|listKind s O|categories [s A
%apiextensions.v1.CustomResourceDefinitionSpec|group s ! Z|names @469 ! Z|scope s ! Z T=v1.ResourceScope|versions [@472 ! A|conversion @466|preserveUnknownFields b O
%apiextensions.v1.CustomResourceDefinitionStatus|conditions [@468 N L=type|acceptedNames @469 Z|storedVersions [s A|observedGeneration l O
%apiextensions.v1.CustomResourceDefinitionVersion|name s ! Z|served b ! Z|storage b ! Z|deprecated b O|deprecationWarning s|schema @476|subresources @475|additionalPrinterColumns [@465 A|selectableFields [@479 A
%apiextensions.v1.CustomResourceSubresourceScale|specReplicasPath s ! Z|statusReplicasPath s ! Z|labelSelectorPath s
%apiextensions.v1.CustomResourceSubresourceStatus
%apiextensions.v1.CustomResourceSubresources|status @474|scale @473
%apiextensions.v1.CustomResourceValidation|openAPIV3Schema @478
%apiextensions.v1.ExternalDocumentation|description s O|url s O
%apiextensions.v1.JSONSchemaProps|id s O|$schema s O|$ref s|description s O|type s O|format s O|title s O|default x|maximum f|exclusiveMaximum b O|minimum f|exclusiveMinimum b O|maxLength l|minLength l|pattern s O|maxItems l|minItems l|uniqueItems b O|multipleOf f|enum [x A|maxProperties l|minProperties l|required [s A|items J478|allOf [@478 A|oneOf [@478 A|anyOf [@478 A|not @478|properties {@478|additionalProperties J478|patternProperties {@478|dependencies {x|additionalItems J478|definitions {@478|externalDocs @477|example x|nullable b O|x-kubernetes-preserve-unknown-fields b|x-kubernetes-embedded-resource b O|x-kubernetes-int-or-string b O|x-kubernetes-list-map-keys [s A|x-kubernetes-list-type s|x-kubernetes-map-type s|x-kubernetes-validations [@481 L=rule P=merge M=rule
%apiextensions.v1.SelectableField|jsonPath s ! Z
%apiextensions.v1.ServiceReference|name s ! Z|namespace s ! Z|path s|port i
%apiextensions.v1.ValidationRule|rule s ! Z|message s O|messageExpression s O|reason s|fieldPath s O|optionalOldSelf b
%apiextensions.v1.WebhookClientConfig|caBundle y O|service @480|url s
%apiextensions.v1.WebhookConversion|clientConfig @482|conversionReviewVersions [s ! A
^apis.meta.v1.APIGroup K=/v1/APIGroup|kind s O|apiVersion s O|name s !|versions [@489 ! A|preferredVersion @489|serverAddressByClientCIDRs [@497 A
^apis.meta.v1.APIVersions K=/v1/APIVersions|kind s O|apiVersion s O|versions [s ! A|serverAddressByClientCIDRs [@497 ! A
^apis.meta.v1.Condition|type s ! Z|status s ! Z T=v1.ConditionStatus|observedGeneration l O|lastTransitionTime t ! Z|reason s ! Z|message s ! Z
^apis.meta.v1.DeleteOptions K=/v1/DeleteOptions|kind s O|apiVersion s O|gracePeriodSeconds l|preconditions @496|orphanDependents b|propagationPolicy s|dryRun [s A|ignoreStoreReadErrorWithClusterBreakingPotential b
^apis.meta.v1.FieldSelectorRequirement|key s ! Z|operator s ! Z|values [s A
^apis.meta.v1.GroupVersionForDiscovery|groupVersion s !|version s !
^apis.meta.v1.LabelSelector A|matchLabels {s|matchExpressions [@491 A
^apis.meta.v1.LabelSelectorRequirement|key s ! Z|operator s ! Z T=v1.LabelSelectorOperator|values [s A
^apis.meta.v1.ListMeta|selfLink s O|resourceVersion s O|continue s O|remainingItemCount l|shardInfo @498
^apis.meta.v1.ManagedFieldsEntry|manager s O|operation s O|apiVersion s O|time t|fieldsType s O|fieldsV1 o|subresource s O
^apis.meta.v1.ObjectMeta|name s O|generateName s O|namespace s O|selfLink s O|uid s O T=types.UID|resourceVersion s O|generation l O|creationTimestamp t|deletionTimestamp t|deletionGracePeriodSeconds l|labels {s|annotations {s|ownerReferences [@495 L=uid P=merge M=uid|finalizers [s S P=merge|managedFields [@493 A
^apis.meta.v1.OwnerReference A|apiVersion s ! Z|kind s ! Z|name s ! Z|uid s ! Z T=types.UID|controller b|blockOwnerDeletion b
^apis.meta.v1.Preconditions|uid s T=types.UID|resourceVersion s
^apis.meta.v1.ServerAddressByClientCIDR|clientCIDR s !|serverAddress s !
^apis.meta.v1.ShardInfo|selector s ! Z
^apis.meta.v1.Status K=/v1/Status|kind s O|apiVersion s O|metadata @492 Z|status s O|message s O|reason s O|details @501|code i O
^apis.meta.v1.StatusCause|reason s O|message s O|field s O
^apis.meta.v1.StatusDetails|name s O|group s O|kind s O|uid s O|causes [@500 A|retryAfterSeconds i O
"""#
