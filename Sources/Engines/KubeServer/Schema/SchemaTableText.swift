// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// Written by scripts/make-schema-table; the format is explained in SchemaTable+Parsing.swift.
// swift-format-ignore-file

/// The built-in types of the Kubernetes API (v1.36), one a line.
let schemaTableText = #"""
~io.k8s.api.|^io.k8s.apimachinery.pkg.|%io.k8s.apiextensions-apiserver.pkg.apis.
~apps.v1.ControllerRevision K=apps/v1/ControllerRevision|kind s|apiVersion s|metadata @388 Z|data o|revision l ! Z
~apps.v1.DaemonSet K=apps/v1/DaemonSet|kind s|apiVersion s|metadata @388 Z|spec @3 Z|status @4 Z
~apps.v1.DaemonSetCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s|message s
~apps.v1.DaemonSetSpec|selector @384 !|template @237 ! Z|updateStrategy @5 Z|minReadySeconds i|revisionHistoryLimit i
~apps.v1.DaemonSetStatus|currentNumberScheduled i ! Z|numberMisscheduled i ! Z|desiredNumberScheduled i ! Z|numberReady i ! Z|observedGeneration l|updatedNumberScheduled i|numberAvailable i|numberUnavailable i|collisionCount i|conditions [@2 L=type P=merge M=type
~apps.v1.DaemonSetUpdateStrategy|type s T=v1.DaemonSetUpdateStrategyType|rollingUpdate @15
~apps.v1.Deployment K=apps/v1/Deployment|kind s|apiVersion s|metadata @388 Z|spec @8 Z|status @9 Z
~apps.v1.DeploymentCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastUpdateTime t Z|lastTransitionTime t Z|reason s|message s
~apps.v1.DeploymentSpec|replicas i|selector @384 !|template @237 ! Z|strategy @10 Z P=retainKeys|minReadySeconds i|revisionHistoryLimit i|paused b|progressDeadlineSeconds i
~apps.v1.DeploymentStatus|observedGeneration l|replicas i|updatedReplicas i|readyReplicas i|availableReplicas i|unavailableReplicas i|terminatingReplicas i|conditions [@7 L=type P=merge M=type|collisionCount i
~apps.v1.DeploymentStrategy|type s T=v1.DeploymentStrategyType|rollingUpdate @16
~apps.v1.ReplicaSet K=apps/v1/ReplicaSet|kind s|apiVersion s|metadata @388 Z|spec @13 Z|status @14 Z
~apps.v1.ReplicaSetCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastTransitionTime t Z|reason s|message s
~apps.v1.ReplicaSetSpec|replicas i|minReadySeconds i|selector @384 !|template @237 Z
~apps.v1.ReplicaSetStatus|replicas i ! Z|fullyLabeledReplicas i|readyReplicas i|availableReplicas i|terminatingReplicas i|observedGeneration l|conditions [@12 L=type P=merge M=type
~apps.v1.RollingUpdateDaemonSet|maxUnavailable I|maxSurge I
~apps.v1.RollingUpdateDeployment|maxUnavailable I|maxSurge I
~apps.v1.RollingUpdateStatefulSetStrategy|partition i|maxUnavailable I
~apps.v1.StatefulSet K=apps/v1/StatefulSet|kind s|apiVersion s|metadata @388 Z|spec @22 Z|status @23 Z
~apps.v1.StatefulSetCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s|message s
~apps.v1.StatefulSetOrdinals|start i Z
~apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy|whenDeleted s|whenScaled s
~apps.v1.StatefulSetSpec|replicas i|selector @384 !|template @237 ! Z|volumeClaimTemplates [@208 A|serviceName s Z|podManagementPolicy s T=v1.PodManagementPolicyType|updateStrategy @24 Z|revisionHistoryLimit i|minReadySeconds i|persistentVolumeClaimRetentionPolicy @21|ordinals @20
~apps.v1.StatefulSetStatus|observedGeneration l|replicas i ! Z|readyReplicas i|currentReplicas i|updatedReplicas i|currentRevision s|updateRevision s|collisionCount i|conditions [@19 L=type P=merge M=type|availableReplicas i Z
~apps.v1.StatefulSetUpdateStrategy|type s T=v1.StatefulSetUpdateStrategyType|rollingUpdate @17
~authentication.v1.BoundObjectReference|kind s|apiVersion s|name s|uid s
~authentication.v1.SelfSubjectReview K=authentication.k8s.io/v1/SelfSubjectReview|kind s|apiVersion s|metadata @388 Z|status @27 Z
~authentication.v1.SelfSubjectReviewStatus|userInfo @34 Z
~authentication.v1.TokenRequest K=authentication.k8s.io/v1/TokenRequest|kind s|apiVersion s|metadata @388 Z|spec @29 Z|status @30 Z
~authentication.v1.TokenRequestSpec|audiences [s A|expirationSeconds l|boundObjectRef @25 N
~authentication.v1.TokenRequestStatus|token s Z|expirationTimestamp t
~authentication.v1.TokenReview K=authentication.k8s.io/v1/TokenReview|kind s|apiVersion s|metadata @388 Z|spec @32 ! Z|status @33 Z
~authentication.v1.TokenReviewSpec|token s !|audiences [s A
~authentication.v1.TokenReviewStatus|authenticated b|user @34 Z|audiences [s A|error s
~authentication.v1.UserInfo|username s|uid s|groups [s A|extra {[s
~authorization.v1.FieldSelectorAttributes|rawSelector s|requirements [@383 A
~authorization.v1.LabelSelectorAttributes|rawSelector s|requirements [@385 A
~authorization.v1.LocalSubjectAccessReview K=authorization.k8s.io/v1/LocalSubjectAccessReview|kind s|apiVersion s|metadata @388 Z|spec @47 ! Z|status @48 Z
~authorization.v1.NonResourceAttributes|path s|verb s
~authorization.v1.NonResourceRule|verbs [s ! A|nonResourceURLs [s A
~authorization.v1.ResourceAttributes|namespace s|verb s|group s|version s|resource s|subresource s|name s|fieldSelector @35|labelSelector @36
~authorization.v1.ResourceRule|verbs [s ! A|apiGroups [s A|resources [s A|resourceNames [s A
~authorization.v1.SelfSubjectAccessReview K=authorization.k8s.io/v1/SelfSubjectAccessReview|kind s|apiVersion s|metadata @388 Z|spec @43 ! Z|status @48 Z
~authorization.v1.SelfSubjectAccessReviewSpec|resourceAttributes @40|nonResourceAttributes @38
~authorization.v1.SelfSubjectRulesReview K=authorization.k8s.io/v1/SelfSubjectRulesReview|kind s|apiVersion s|metadata @388 Z|spec @45 ! Z|status @49 Z
~authorization.v1.SelfSubjectRulesReviewSpec|namespace s
~authorization.v1.SubjectAccessReview K=authorization.k8s.io/v1/SubjectAccessReview|kind s|apiVersion s|metadata @388 Z|spec @47 ! Z|status @48 Z
~authorization.v1.SubjectAccessReviewSpec|resourceAttributes @40|nonResourceAttributes @38|user s|groups [s A|extra {[s|uid s
~authorization.v1.SubjectAccessReviewStatus|allowed b ! Z|denied b|reason s|evaluationError s
~authorization.v1.SubjectRulesReviewStatus|resourceRules [@41 ! A|nonResourceRules [@39 ! A|incomplete b ! Z|evaluationError s
~autoscaling.v1.CrossVersionObjectReference A|kind s !|name s !|apiVersion s
~autoscaling.v1.HorizontalPodAutoscaler K=autoscaling/v1/HorizontalPodAutoscaler|kind s|apiVersion s|metadata @388|spec @52 !|status @53
~autoscaling.v1.HorizontalPodAutoscalerSpec|scaleTargetRef @50 !|minReplicas i|maxReplicas i !|targetCPUUtilizationPercentage i
~autoscaling.v1.HorizontalPodAutoscalerStatus|observedGeneration l|lastScaleTime t|currentReplicas i !|desiredReplicas i !|currentCPUUtilizationPercentage i
~autoscaling.v1.Scale K=autoscaling/v1/Scale|kind s|apiVersion s|metadata @388 Z|spec @55 Z|status @56 Z
~autoscaling.v1.ScaleSpec|replicas i Z
~autoscaling.v1.ScaleStatus|replicas i ! Z|selector s
~autoscaling.v2.ContainerResourceMetricSource|name s ! Z|target @72 ! Z|container s ! Z
~autoscaling.v2.ContainerResourceMetricStatus|name s ! Z|current @73 ! Z|container s ! Z
~autoscaling.v2.CrossVersionObjectReference|kind s ! Z|name s ! Z|apiVersion s
~autoscaling.v2.ExternalMetricSource|metric @69 ! Z|target @72 ! Z
~autoscaling.v2.ExternalMetricStatus|metric @69 ! Z|current @73 ! Z
~autoscaling.v2.HPAScalingPolicy|type s ! Z|value i ! Z|periodSeconds i ! Z
~autoscaling.v2.HPAScalingRules|stabilizationWindowSeconds i|selectPolicy s|policies [@62 A|tolerance q
~autoscaling.v2.HorizontalPodAutoscaler K=autoscaling/v2/HorizontalPodAutoscaler|kind s|apiVersion s|metadata @388 Z|spec @67 ! Z|status @68 Z
~autoscaling.v2.HorizontalPodAutoscalerBehavior|scaleUp @63|scaleDown @63
~autoscaling.v2.HorizontalPodAutoscalerCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s|message s
~autoscaling.v2.HorizontalPodAutoscalerSpec|scaleTargetRef @59 ! Z|minReplicas i|maxReplicas i ! Z|metrics [@70 A|behavior @65
~autoscaling.v2.HorizontalPodAutoscalerStatus|observedGeneration l|lastScaleTime t|currentReplicas i|desiredReplicas i ! Z|currentMetrics [@71 N A|conditions [@66 L=type P=merge M=type
~autoscaling.v2.MetricIdentifier|name s ! Z|selector @384
~autoscaling.v2.MetricSpec|type s ! Z|object @74|pods @76|resource @78|containerResource @57|external @60
~autoscaling.v2.MetricStatus|type s ! Z|object @75|pods @77|resource @79|containerResource @58|external @61
~autoscaling.v2.MetricTarget|type s ! Z|value q|averageValue q|averageUtilization i
~autoscaling.v2.MetricValueStatus|value q|averageValue q|averageUtilization i
~autoscaling.v2.ObjectMetricSource|describedObject @59 ! Z|target @72 ! Z|metric @69 ! Z
~autoscaling.v2.ObjectMetricStatus|metric @69 ! Z|current @73 ! Z|describedObject @59 ! Z
~autoscaling.v2.PodsMetricSource|metric @69 ! Z|target @72 ! Z
~autoscaling.v2.PodsMetricStatus|metric @69 ! Z|current @73 ! Z
~autoscaling.v2.ResourceMetricSource|name s ! Z|target @72 ! Z
~autoscaling.v2.ResourceMetricStatus|name s ! Z|current @73 ! Z
~batch.v1.CronJob K=batch/v1/CronJob|kind s|apiVersion s|metadata @388 Z|spec @81 ! Z|status @82 Z
~batch.v1.CronJobSpec|schedule s ! Z|timeZone s|startingDeadlineSeconds l|concurrencyPolicy s T=v1.ConcurrencyPolicy|suspend b|jobTemplate @87 ! Z|successfulJobsHistoryLimit i|failedJobsHistoryLimit i
~batch.v1.CronJobStatus|active [@206 A|lastScheduleTime t|lastSuccessfulTime t
~batch.v1.Job K=batch/v1/Job|kind s|apiVersion s|metadata @388 Z|spec @85 Z|status @86 Z
~batch.v1.JobCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastProbeTime t Z|lastTransitionTime t Z|reason s|message s
~batch.v1.JobSpec|parallelism i|completions i|activeDeadlineSeconds l|podFailurePolicy @88|successPolicy @92|backoffLimit i|backoffLimitPerIndex i|maxFailedIndexes i|selector @384|manualSelector b|template @237 ! Z|ttlSecondsAfterFinished i|completionMode s T=v1.CompletionMode|suspend b|podReplacementPolicy s|managedBy s
~batch.v1.JobStatus|conditions [@84 A P=merge M=type|startTime t|completionTime t|active i|succeeded i|failed i|terminating i|completedIndexes s|failedIndexes s|uncountedTerminatedPods @94|ready i
~batch.v1.JobTemplateSpec|metadata @388 Z|spec @85 Z
~batch.v1.PodFailurePolicy|rules [@91 ! A
~batch.v1.PodFailurePolicyOnExitCodesRequirement|containerName s|operator s ! Z|values [i ! S
~batch.v1.PodFailurePolicyOnPodConditionsPattern|type s ! Z|status s Z
~batch.v1.PodFailurePolicyRule|action s ! Z|onExitCodes @89|onPodConditions [@90 A
~batch.v1.SuccessPolicy|rules [@93 ! A
~batch.v1.SuccessPolicyRule|succeededIndexes s|succeededCount i
~batch.v1.UncountedTerminatedPods|succeeded [s S|failed [s S
~coordination.v1.Lease K=coordination.k8s.io/v1/Lease|kind s|apiVersion s|metadata @388 Z|spec @96 Z
~coordination.v1.LeaseSpec|holderIdentity s|leaseDurationSeconds i|acquireTime u|renewTime u|leaseTransitions i|strategy s|preferredHolder s
~core.v1.AWSElasticBlockStoreVolumeSource|volumeID s ! Z|fsType s|partition i|readOnly b
~core.v1.Affinity|nodeAffinity @189|podAffinity @218|podAntiAffinity @220
~core.v1.AppArmorProfile|type s ! Z|localhostProfile s
~core.v1.AttachedVolume|name s ! Z|devicePath s ! Z
~core.v1.AzureDiskVolumeSource|diskName s ! Z|diskURI s ! Z|cachingMode s D="ReadWrite"|fsType s D="ext4"|readOnly b Z|kind s D="Shared"
~core.v1.AzureFilePersistentVolumeSource|secretName s ! Z|shareName s ! Z|readOnly b|secretNamespace s
~core.v1.AzureFileVolumeSource|secretName s ! Z|shareName s ! Z|readOnly b
~core.v1.Binding K=/v1/Binding|kind s|apiVersion s|metadata @388 Z|target @206 ! Z
~core.v1.CSIPersistentVolumeSource|driver s ! Z|volumeHandle s ! Z|readOnly b|fsType s|volumeAttributes {s|controllerPublishSecretRef @268|nodeStageSecretRef @268|nodePublishSecretRef @268|controllerExpandSecretRef @268|nodeExpandSecretRef @268
~core.v1.CSIVolumeSource|driver s ! Z|readOnly b|fsType s|volumeAttributes {s|nodePublishSecretRef @179
~core.v1.Capabilities|add [s A|drop [s A
~core.v1.CephFSPersistentVolumeSource|monitors [s ! A|path s|user s|secretFile s|secretRef @268|readOnly b
~core.v1.CephFSVolumeSource|monitors [s ! A|path s|user s|secretFile s|secretRef @179|readOnly b
~core.v1.CinderPersistentVolumeSource|volumeID s ! Z|fsType s|readOnly b|secretRef @268
~core.v1.CinderVolumeSource|volumeID s ! Z|fsType s|readOnly b|secretRef @179
~core.v1.ClientIPConfig|timeoutSeconds i
~core.v1.ClusterTrustBundleProjection|name s|signerName s|labelSelector @384|optional b|path s ! Z
~core.v1.ConfigMap K=/v1/ConfigMap|kind s|apiVersion s|metadata @388 Z|immutable b|data {s|binaryData {y
~core.v1.ConfigMapEnvSource|name s Z|optional b
~core.v1.ConfigMapKeySelector A|name s Z|key s ! Z|optional b
~core.v1.ConfigMapNodeConfigSource|namespace s ! Z|name s ! Z|uid s|resourceVersion s|kubeletConfigKey s ! Z
~core.v1.ConfigMapProjection|name s Z|items [@170 A|optional b
~core.v1.ConfigMapVolumeSource|name s Z|items [@170 A|defaultMode i|optional b
~core.v1.Container|name s ! Z|image s|command [s A|args [s A|workingDir s|ports [@123 L=containerPort,protocol P=merge M=containerPort|envFrom [@142 A|env [@143 L=name P=merge M=name|resources @256 Z|resizePolicy [@124 A|restartPolicy s T=v1.ContainerRestartPolicy|restartPolicyRules [@125 A|volumeMounts [@292 L=mountPath P=merge M=mountPath|volumeDevices [@291 L=devicePath P=merge M=devicePath|livenessProbe @241|readinessProbe @241|startupProbe @241|lifecycle @171|terminationMessagePath s|terminationMessagePolicy s T=v1.TerminationMessagePolicy|imagePullPolicy s T=v1.PullPolicy|securityContext @270|stdin b|stdinOnce b|tty b
~core.v1.ContainerExtendedResourceRequest|containerName s ! Z|resourceName s ! Z|requestName s ! Z
~core.v1.ContainerImage|names [s A|sizeBytes l
~core.v1.ContainerPort|name s|hostPort i|containerPort i ! Z|protocol s D="TCP" T=v1.Protocol|hostIP s
~core.v1.ContainerResizePolicy|resourceName s ! Z|restartPolicy s ! Z
~core.v1.ContainerRestartRule|action s !|exitCodes @126
~core.v1.ContainerRestartRuleOnExitCodes|operator s !|values [i S
~core.v1.ContainerState|waiting @130|running @128|terminated @129
~core.v1.ContainerStateRunning|startedAt t Z
~core.v1.ContainerStateTerminated|exitCode i ! Z|signal i|reason s|message s|startedAt t Z|finishedAt t Z|containerID s
~core.v1.ContainerStateWaiting|reason s|message s
~core.v1.ContainerStatus|name s ! Z|state @127 Z|lastState @127 Z|ready b ! Z|restartCount i ! Z|image s ! Z|imageID s ! Z|containerID s|started b|allocatedResources {q|resources @256|volumeMounts [@293 L=mountPath P=merge M=mountPath|user @132|allocatedResourcesStatus [@257 L=name P=merge M=name|stopSignal s
~core.v1.ContainerUser|linux @176
~core.v1.DaemonEndpoint|Port i ! Z
~core.v1.DownwardAPIProjection|items [@135 A
~core.v1.DownwardAPIVolumeFile|path s ! Z|fieldRef @205|resourceFieldRef @251|mode i
~core.v1.DownwardAPIVolumeSource|items [@135 A|defaultMode i
~core.v1.EmptyDirVolumeSource|medium s T=v1.StorageMedium|sizeLimit q
~core.v1.EndpointAddress A|ip s ! Z|hostname s|nodeName s|targetRef @206
~core.v1.EndpointPort A|name s|port i ! Z|protocol s T=v1.Protocol|appProtocol s
~core.v1.EndpointSubset|addresses [@138 A|notReadyAddresses [@138 A|ports [@139 A
~core.v1.Endpoints K=/v1/Endpoints|kind s|apiVersion s|metadata @388 Z|subsets [@140 A
~core.v1.EnvFromSource|prefix s|configMapRef @115|secretRef @265
~core.v1.EnvVar|name s ! Z|value s|valueFrom @144
~core.v1.EnvVarSource|fieldRef @205|resourceFieldRef @251|configMapKeyRef @116|secretKeyRef @266|fileKeyRef @152
~core.v1.EphemeralContainer|name s ! Z|image s|command [s A|args [s A|workingDir s|ports [@123 L=containerPort,protocol P=merge M=containerPort|envFrom [@142 A|env [@143 L=name P=merge M=name|resources @256 Z|resizePolicy [@124 A|restartPolicy s T=v1.ContainerRestartPolicy|restartPolicyRules [@125 A|volumeMounts [@292 L=mountPath P=merge M=mountPath|volumeDevices [@291 L=devicePath P=merge M=devicePath|livenessProbe @241|readinessProbe @241|startupProbe @241|lifecycle @171|terminationMessagePath s|terminationMessagePolicy s T=v1.TerminationMessagePolicy|imagePullPolicy s T=v1.PullPolicy|securityContext @270|stdin b|stdinOnce b|tty b|targetContainerName s
~core.v1.EphemeralVolumeSource|volumeClaimTemplate @212
~core.v1.Event K=/v1/Event|kind s|apiVersion s|metadata @388 ! Z|involvedObject @206 ! Z|reason s|message s|source @149 Z|firstTimestamp t Z|lastTimestamp t Z|count i|type s|eventTime u Z|series @148|action s|related @206|reportingComponent s Z|reportingInstance s Z
~core.v1.EventSeries|count i|lastObservedTime u
~core.v1.EventSource|component s|host s
~core.v1.ExecAction|command [s A
~core.v1.FCVolumeSource|targetWWNs [s A|lun i|fsType s|readOnly b|wwids [s A
~core.v1.FileKeySelector A|volumeName s ! Z|path s ! Z|key s ! Z|optional b Z
~core.v1.FlexPersistentVolumeSource|driver s ! Z|fsType s|secretRef @268|readOnly b|options {s
~core.v1.FlexVolumeSource|driver s ! Z|fsType s|secretRef @179|readOnly b|options {s
~core.v1.FlockerVolumeSource|datasetName s|datasetUUID s
~core.v1.GCEPersistentDiskVolumeSource|pdName s ! Z|fsType s|partition i|readOnly b
~core.v1.GRPCAction|port i ! Z|service s Z
~core.v1.GitRepoVolumeSource|repository s ! Z|revision s|directory s
~core.v1.GlusterfsPersistentVolumeSource|endpoints s ! Z|path s ! Z|readOnly b|endpointsNamespace s
~core.v1.GlusterfsVolumeSource|endpoints s ! Z|path s ! Z|readOnly b
~core.v1.HTTPGetAction|path s|port I !|host s|scheme s T=v1.URIScheme|httpHeaders [@162 A
~core.v1.HTTPHeader|name s ! Z|value s ! Z
~core.v1.HostAlias|ip s ! Z|hostnames [s A
~core.v1.HostIP|ip s ! Z
~core.v1.HostPathVolumeSource|path s ! Z|type s T=v1.HostPathType
~core.v1.ISCSIPersistentVolumeSource|targetPortal s ! Z|iqn s ! Z|lun i ! Z|iscsiInterface s D="default"|fsType s|readOnly b|portals [s A|chapAuthDiscovery b|chapAuthSession b|secretRef @268|initiatorName s
~core.v1.ISCSIVolumeSource|targetPortal s ! Z|iqn s ! Z|lun i ! Z|iscsiInterface s D="default"|fsType s|readOnly b|portals [s A|chapAuthDiscovery b|chapAuthSession b|secretRef @179|initiatorName s
~core.v1.ImageVolumeSource|reference s|pullPolicy s T=v1.PullPolicy
~core.v1.ImageVolumeStatus|imageRef s !
~core.v1.KeyToPath|key s ! Z|path s ! Z|mode i
~core.v1.Lifecycle|postStart @172|preStop @172|stopSignal s
~core.v1.LifecycleHandler|exec @150|httpGet @161|tcpSocket @282|sleep @278
~core.v1.LimitRange K=/v1/LimitRange|kind s|apiVersion s|metadata @388 Z|spec @175 Z
~core.v1.LimitRangeItem|type s ! Z|max {q|min {q|default {q|defaultRequest {q|maxLimitRequestRatio {q
~core.v1.LimitRangeSpec|limits [@174 ! A
~core.v1.LinuxContainerUser|uid l ! Z|gid l ! Z|supplementalGroups [l A
~core.v1.LoadBalancerIngress|ip s|hostname s|ipMode s|ports [@238 A
~core.v1.LoadBalancerStatus|ingress [@177 A
~core.v1.LocalObjectReference A|name s Z
~core.v1.LocalVolumeSource|path s ! Z|fsType s
~core.v1.ModifyVolumeStatus|targetVolumeAttributesClassName s|status s ! Z
~core.v1.NFSVolumeSource|server s ! Z|path s ! Z|readOnly b
~core.v1.Namespace K=/v1/Namespace|kind s|apiVersion s|metadata @388 Z|spec @185 Z|status @186 Z
~core.v1.NamespaceCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s|message s
~core.v1.NamespaceSpec|finalizers [s A
~core.v1.NamespaceStatus|phase s T=v1.NamespacePhase|conditions [@184 L=type P=merge M=type
~core.v1.Node K=/v1/Node|kind s|apiVersion s|metadata @388 Z|spec @201 Z|status @202 Z
~core.v1.NodeAddress|type s ! Z|address s ! Z
~core.v1.NodeAffinity|requiredDuringSchedulingIgnoredDuringExecution @198|preferredDuringSchedulingIgnoredDuringExecution [@240 A
~core.v1.NodeAllocatableResourceClaimStatus|resourceClaimName s ! Z|containers [s S|resources {q !
~core.v1.NodeCondition|type s ! Z|status s ! Z T=v1.ConditionStatus|lastHeartbeatTime t Z|lastTransitionTime t Z|reason s|message s
~core.v1.NodeConfigSource|configMap @117
~core.v1.NodeConfigStatus|assigned @192|active @192|lastKnownGood @192|error s
~core.v1.NodeDaemonEndpoints|kubeletEndpoint @133 Z
~core.v1.NodeFeatures|supplementalGroupsPolicy b
~core.v1.NodeRuntimeHandler|name s Z|features @197
~core.v1.NodeRuntimeHandlerFeatures|recursiveReadOnlyMounts b|userNamespaces b
~core.v1.NodeSelector A|nodeSelectorTerms [@200 ! A
~core.v1.NodeSelectorRequirement|key s ! Z|operator s ! Z T=v1.NodeSelectorOperator|values [s A
~core.v1.NodeSelectorTerm A|matchExpressions [@199 A|matchFields [@199 A
~core.v1.NodeSpec|podCIDR s|podCIDRs [s S P=merge|providerID s|unschedulable b|taints [@283 A|configSource @192|externalID s
~core.v1.NodeStatus|capacity {q|allocatable {q|phase s|conditions [@191 L=type P=merge M=type|addresses [@188 L=type P=merge M=type|daemonEndpoints @194 Z|nodeInfo @204 Z|images [@122 A|volumesInUse [s A|volumesAttached [@100 A|config @193|runtimeHandlers [@196 A|features @195|declaredFeatures [s A
~core.v1.NodeSwapStatus|capacity l
~core.v1.NodeSystemInfo|machineID s ! Z|systemUUID s ! Z|bootID s ! Z|kernelVersion s ! Z|osImage s ! Z|containerRuntimeVersion s ! Z|kubeletVersion s ! Z|kubeProxyVersion s ! Z|operatingSystem s ! Z|architecture s ! Z|swap @203
~core.v1.ObjectFieldSelector A|apiVersion s|fieldPath s ! Z
~core.v1.ObjectReference A|kind s|namespace s|name s|uid s T=types.UID|apiVersion s|resourceVersion s|fieldPath s
~core.v1.PersistentVolume K=/v1/PersistentVolume|kind s|apiVersion s|metadata @388 Z|spec @214 Z|status @215 Z
~core.v1.PersistentVolumeClaim K=/v1/PersistentVolumeClaim|kind s|apiVersion s|metadata @388 Z|spec @210 Z|status @211 Z
~core.v1.PersistentVolumeClaimCondition|type s ! Z|status s ! Z|lastProbeTime t Z|lastTransitionTime t Z|reason s|message s
~core.v1.PersistentVolumeClaimSpec|accessModes [s A|selector @384|resources @296 Z|volumeName s|storageClassName s|volumeMode s T=v1.PersistentVolumeMode|dataSource @288|dataSourceRef @289|volumeAttributesClassName s
~core.v1.PersistentVolumeClaimStatus|phase s|accessModes [s A|capacity {q|conditions [@209 L=type P=merge M=type|allocatedResources {q|allocatedResourceStatuses {s G|currentVolumeAttributesClassName s|modifyVolumeStatus @181
~core.v1.PersistentVolumeClaimTemplate|metadata @388 Z|spec @210 ! Z
~core.v1.PersistentVolumeClaimVolumeSource|claimName s ! Z|readOnly b
~core.v1.PersistentVolumeSpec|capacity {q|gcePersistentDisk @156|awsElasticBlockStore @97|hostPath @165|glusterfs @159|nfs @182|rbd @244|iscsi @166|cinder @110|cephfs @108|fc @151|flocker @155|flexVolume @153|azureFile @102|vsphereVolume @298|quobyte @243|azureDisk @101|photonPersistentDisk @216|portworxVolume @239|scaleIO @259|local @180|storageos @279|csi @105|accessModes [s A|claimRef @206 G|persistentVolumeReclaimPolicy s T=v1.PersistentVolumeReclaimPolicy|storageClassName s|mountOptions [s A|volumeMode s T=v1.PersistentVolumeMode|nodeAffinity @294|volumeAttributesClassName s
~core.v1.PersistentVolumeStatus|phase s|message s|reason s|lastPhaseTransitionTime t
~core.v1.PhotonPersistentDiskVolumeSource|pdID s ! Z|fsType s
~core.v1.Pod K=/v1/Pod|kind s|apiVersion s|metadata @388 Z|spec @234 Z|status @235 Z
~core.v1.PodAffinity|requiredDuringSchedulingIgnoredDuringExecution [@219 A|preferredDuringSchedulingIgnoredDuringExecution [@299 A
~core.v1.PodAffinityTerm|labelSelector @384|namespaces [s A|topologyKey s ! Z|namespaceSelector @384|matchLabelKeys [s A|mismatchLabelKeys [s A
~core.v1.PodAntiAffinity|requiredDuringSchedulingIgnoredDuringExecution [@219 A|preferredDuringSchedulingIgnoredDuringExecution [@299 A
~core.v1.PodCertificateProjection|signerName s !|keyType s !|maxExpirationSeconds i|credentialBundlePath s|keyPath s|certificateChainPath s|userAnnotations {s
~core.v1.PodCondition|type s ! Z|observedGeneration l|status s ! Z T=v1.ConditionStatus|lastProbeTime t Z|lastTransitionTime t Z|reason s|message s
~core.v1.PodDNSConfig|nameservers [s A|searches [s A|options [@224 A
~core.v1.PodDNSConfigOption|name s|value s
~core.v1.PodExtendedResourceClaimStatus|requestMappings [@121 ! A|resourceClaimName s ! Z
~core.v1.PodIP|ip s ! Z
~core.v1.PodOS|name s ! Z
~core.v1.PodReadinessGate|conditionType s ! Z
~core.v1.PodResourceClaim|name s ! Z|resourceClaimName s|resourceClaimTemplateName s
~core.v1.PodResourceClaimStatus|name s ! Z|resourceClaimName s
~core.v1.PodSchedulingGate|name s ! Z
~core.v1.PodSchedulingGroup|podGroupName s
~core.v1.PodSecurityContext|seLinuxOptions @258|windowsOptions @300|runAsUser l|runAsGroup l|runAsNonRoot b|supplementalGroups [l A|supplementalGroupsPolicy s|fsGroup l|sysctls [@281 A|fsGroupChangePolicy s|seccompProfile @263|appArmorProfile @99|seLinuxChangePolicy s
~core.v1.PodSpec|volumes [@290 L=name P=merge,retainKeys M=name|initContainers [@120 L=name P=merge M=name|containers [@120 ! L=name P=merge M=name|ephemeralContainers [@145 L=name P=merge M=name|restartPolicy s T=v1.RestartPolicy|terminationGracePeriodSeconds l|activeDeadlineSeconds l|dnsPolicy s T=v1.DNSPolicy|nodeSelector {s A|serviceAccountName s|serviceAccount s|automountServiceAccountToken b|nodeName s|hostNetwork b|hostPID b|hostIPC b|shareProcessNamespace b|securityContext @233|imagePullSecrets [@179 L=name P=merge M=name|hostname s|subdomain s|affinity @98|schedulerName s|tolerations [@284 A|hostAliases [@163 L=ip P=merge M=ip|priorityClassName s|priority i|dnsConfig @223|readinessGates [@228 A|runtimeClassName s|enableServiceLinks b|preemptionPolicy s T=v1.PreemptionPolicy|overhead {q|topologySpreadConstraints [@287 L=topologyKey,whenUnsatisfiable P=merge M=topologyKey|setHostnameAsFQDN b|os @227|hostUsers b|schedulingGates [@231 L=name P=merge M=name|resourceClaims [@229 L=name P=merge,retainKeys M=name|resources @256|hostnameOverride s|schedulingGroup @232
~core.v1.PodStatus|observedGeneration l|phase s T=v1.PodPhase|conditions [@222 L=type P=merge M=type|message s|reason s|nominatedNodeName s|hostIP s|hostIPs [@164 A P=merge M=ip|podIP s|podIPs [@226 L=ip P=merge M=ip|startTime t|initContainerStatuses [@131 A|containerStatuses [@131 A|qosClass s|ephemeralContainerStatuses [@131 A|resize s|resourceClaimStatuses [@230 L=name P=merge,retainKeys M=name|extendedResourceClaimStatus @225|allocatedResources {q|resources @256|nodeAllocatableResourceClaimStatuses [@190 A
~core.v1.PodTemplate K=/v1/PodTemplate|kind s|apiVersion s|metadata @388 Z|template @237 Z
~core.v1.PodTemplateSpec|metadata @388 Z|spec @234 Z
~core.v1.PortStatus|port i ! Z|protocol s ! Z|error s
~core.v1.PortworxVolumeSource|volumeID s ! Z|fsType s|readOnly b
~core.v1.PreferredSchedulingTerm|weight i ! Z|preference @200 ! Z
~core.v1.Probe|exec @150|httpGet @161|tcpSocket @282|grpc @157|initialDelaySeconds i|timeoutSeconds i|periodSeconds i|successThreshold i|failureThreshold i|terminationGracePeriodSeconds l
~core.v1.ProjectedVolumeSource|sources [@295 A|defaultMode i
~core.v1.QuobyteVolumeSource|registry s ! Z|volume s ! Z|readOnly b|user s|group s|tenant s
~core.v1.RBDPersistentVolumeSource|monitors [s ! A|image s ! Z|fsType s|pool s D="rbd"|user s D="admin"|keyring s D="/etc/ceph/keyring"|secretRef @268|readOnly b
~core.v1.RBDVolumeSource|monitors [s ! A|image s ! Z|fsType s|pool s D="rbd"|user s D="admin"|keyring s D="/etc/ceph/keyring"|secretRef @179|readOnly b
~core.v1.ReplicationController K=/v1/ReplicationController|kind s|apiVersion s|metadata @388 Z|spec @248 Z|status @249 Z
~core.v1.ReplicationControllerCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s|message s
~core.v1.ReplicationControllerSpec|replicas i D=1|minReadySeconds i Z|selector {s A|template @237
~core.v1.ReplicationControllerStatus|replicas i ! Z|fullyLabeledReplicas i|readyReplicas i|availableReplicas i|observedGeneration l|conditions [@247 L=type P=merge M=type
~core.v1.ResourceClaim|name s ! Z|request s
~core.v1.ResourceFieldSelector A|containerName s|resource s ! Z|divisor q
~core.v1.ResourceHealth|resourceID s ! Z|health s|message s
~core.v1.ResourceQuota K=/v1/ResourceQuota|kind s|apiVersion s|metadata @388 Z|spec @254 Z|status @255 Z
~core.v1.ResourceQuotaSpec|hard {q|scopes [s A|scopeSelector @261
~core.v1.ResourceQuotaStatus|hard {q|used {q
~core.v1.ResourceRequirements|limits {q|requests {q|claims [@250 L=name
~core.v1.ResourceStatus|name s ! Z|resources [@252 L=resourceID
~core.v1.SELinuxOptions|user s|role s|type s|level s
~core.v1.ScaleIOPersistentVolumeSource|gateway s ! Z|system s ! Z|secretRef @268 !|sslEnabled b|protectionDomain s|storagePool s|storageMode s D="ThinProvisioned"|volumeName s|fsType s D="xfs"|readOnly b
~core.v1.ScaleIOVolumeSource|gateway s ! Z|system s ! Z|secretRef @179 !|sslEnabled b|protectionDomain s|storagePool s|storageMode s D="ThinProvisioned"|volumeName s|fsType s D="xfs"|readOnly b
~core.v1.ScopeSelector A|matchExpressions [@262 A
~core.v1.ScopedResourceSelectorRequirement|scopeName s ! Z|operator s ! Z|values [s A
~core.v1.SeccompProfile|type s ! Z|localhostProfile s
~core.v1.Secret K=/v1/Secret|kind s|apiVersion s|metadata @388 Z|immutable b|data {y|stringData {s|type s T=v1.SecretType
~core.v1.SecretEnvSource|name s Z|optional b
~core.v1.SecretKeySelector A|name s Z|key s ! Z|optional b
~core.v1.SecretProjection|name s Z|items [@170 A|optional b
~core.v1.SecretReference A|name s|namespace s
~core.v1.SecretVolumeSource|secretName s|items [@170 A|defaultMode i|optional b
~core.v1.SecurityContext|capabilities @107|privileged b|seLinuxOptions @258|windowsOptions @300|runAsUser l|runAsGroup l|runAsNonRoot b|readOnlyRootFilesystem b|allowPrivilegeEscalation b|procMount s|seccompProfile @263|appArmorProfile @99
~core.v1.Service K=/v1/Service|kind s|apiVersion s|metadata @388 Z|spec @275 Z|status @276 Z
~core.v1.ServiceAccount K=/v1/ServiceAccount|kind s|apiVersion s|metadata @388 Z|secrets [@206 L=name P=merge M=name|imagePullSecrets [@179 A|automountServiceAccountToken b
~core.v1.ServiceAccountTokenProjection|audience s|expirationSeconds l|path s ! Z
~core.v1.ServicePort|name s|protocol s D="TCP" T=v1.Protocol|appProtocol s|port i ! Z|targetPort I|nodePort i
~core.v1.ServiceSpec|ports [@274 L=port,protocol P=merge M=port|selector {s A|clusterIP s|clusterIPs [s A|type s T=v1.ServiceType|externalIPs [s A|sessionAffinity s T=v1.ServiceAffinity|loadBalancerIP s|loadBalancerSourceRanges [s A|externalName s|externalTrafficPolicy s T=v1.ServiceExternalTrafficPolicy|healthCheckNodePort i|publishNotReadyAddresses b|sessionAffinityConfig @277|ipFamilies [s A|ipFamilyPolicy s T=v1.IPFamilyPolicy|allocateLoadBalancerNodePorts b|loadBalancerClass s|internalTrafficPolicy s T=v1.ServiceInternalTrafficPolicy|trafficDistribution s
~core.v1.ServiceStatus|loadBalancer @178 Z|conditions [@381 L=type P=merge M=type
~core.v1.SessionAffinityConfig|clientIP @112
~core.v1.SleepAction|seconds l ! Z
~core.v1.StorageOSPersistentVolumeSource|volumeName s|volumeNamespace s|fsType s|readOnly b|secretRef @206
~core.v1.StorageOSVolumeSource|volumeName s|volumeNamespace s|fsType s|readOnly b|secretRef @179
~core.v1.Sysctl|name s ! Z|value s ! Z
~core.v1.TCPSocketAction|port I !|host s
~core.v1.Taint|key s ! Z|value s|effect s ! Z T=v1.TaintEffect|timeAdded t
~core.v1.Toleration|key s|operator s T=v1.TolerationOperator|value s|effect s T=v1.TaintEffect|tolerationSeconds l
~core.v1.TopologySelectorLabelRequirement|key s ! Z|values [s ! A
~core.v1.TopologySelectorTerm A|matchLabelExpressions [@285 A
~core.v1.TopologySpreadConstraint|maxSkew i ! Z|topologyKey s ! Z|whenUnsatisfiable s ! Z|labelSelector @384|minDomains i|nodeAffinityPolicy s|nodeTaintsPolicy s|matchLabelKeys [s A
~core.v1.TypedLocalObjectReference A|apiGroup s|kind s ! Z|name s ! Z
~core.v1.TypedObjectReference|apiGroup s|kind s ! Z|name s ! Z|namespace s
~core.v1.Volume|name s ! Z|hostPath @165|emptyDir @137|gcePersistentDisk @156|awsElasticBlockStore @97|gitRepo @158|secret @269|nfs @182|iscsi @167|glusterfs @160|persistentVolumeClaim @213|rbd @245|flexVolume @154|cinder @111|cephfs @109|flocker @155|downwardAPI @136|fc @151|azureFile @103|configMap @119|vsphereVolume @298|quobyte @243|azureDisk @101|photonPersistentDisk @216|projected @242|portworxVolume @239|scaleIO @260|storageos @280|csi @106|ephemeral @146|image @168
~core.v1.VolumeDevice|name s ! Z|devicePath s ! Z
~core.v1.VolumeMount|name s ! Z|readOnly b|recursiveReadOnly s|mountPath s ! Z|subPath s|mountPropagation s T=v1.MountPropagationMode|subPathExpr s
~core.v1.VolumeMountStatus|name s ! Z|mountPath s ! Z|readOnly b|recursiveReadOnly s|volumeStatus @297
~core.v1.VolumeNodeAffinity|required @198
~core.v1.VolumeProjection|secret @267|downwardAPI @134|configMap @118|serviceAccountToken @273|clusterTrustBundle @113|podCertificate @221
~core.v1.VolumeResourceRequirements|limits {q|requests {q
~core.v1.VolumeStatus|image @169
~core.v1.VsphereVirtualDiskVolumeSource|volumePath s ! Z|fsType s|storagePolicyName s|storagePolicyID s
~core.v1.WeightedPodAffinityTerm|weight i ! Z|podAffinityTerm @219 ! Z
~core.v1.WindowsSecurityContextOptions|gmsaCredentialSpecName s|gmsaCredentialSpec s|runAsUserName s|hostProcess b
~discovery.v1.Endpoint|addresses [s ! S|conditions @302 Z|hostname s|targetRef @206|deprecatedTopology {s|nodeName s|zone s|hints @303
~discovery.v1.EndpointConditions|ready b|serving b|terminating b
~discovery.v1.EndpointHints|forZones [@307 A|forNodes [@306 A
~discovery.v1.EndpointPort A|name s|protocol s T=v1.Protocol|port i|appProtocol s
~discovery.v1.EndpointSlice K=discovery.k8s.io/v1/EndpointSlice|kind s|apiVersion s|metadata @388 Z|addressType s ! Z T=v1.AddressType|endpoints [@301 A|ports [@304 A
~discovery.v1.ForNode|name s ! Z
~discovery.v1.ForZone|name s ! Z
~events.v1.Event K=events.k8s.io/v1/Event|kind s|apiVersion s|metadata @388 Z|eventTime u ! Z|series @309|reportingController s|reportingInstance s|action s|reason s|regarding @206 Z|related @206|note s|type s|deprecatedSource @149 Z|deprecatedFirstTimestamp t Z|deprecatedLastTimestamp t Z|deprecatedCount i
~events.v1.EventSeries|count i ! Z|lastObservedTime u !
~networking.v1.HTTPIngressPath|path s|pathType s ! T=v1.PathType|backend @314 ! Z
~networking.v1.HTTPIngressRuleValue|paths [@310 ! A
~networking.v1.IPBlock|cidr s ! Z|except [s A
~networking.v1.Ingress K=networking.k8s.io/v1/Ingress|kind s|apiVersion s|metadata @388 Z|spec @323 Z|status @324 Z
~networking.v1.IngressBackend|service @322|resource @288
~networking.v1.IngressClass K=networking.k8s.io/v1/IngressClass|kind s|apiVersion s|metadata @388 Z|spec @317 Z
~networking.v1.IngressClassParametersReference|apiGroup s|kind s ! Z|name s ! Z|scope s|namespace s
~networking.v1.IngressClassSpec|controller s|parameters @316
~networking.v1.IngressLoadBalancerIngress|ip s|hostname s|ports [@320 A
~networking.v1.IngressLoadBalancerStatus|ingress [@318 A
~networking.v1.IngressPortStatus|port i ! Z|protocol s ! Z|error s
~networking.v1.IngressRule|host s|http @311
~networking.v1.IngressServiceBackend|name s ! Z|port @332 Z
~networking.v1.IngressSpec|ingressClassName s|defaultBackend @314|tls [@325 A|rules [@321 A
~networking.v1.IngressStatus|loadBalancer @319 Z
~networking.v1.IngressTLS|hosts [s A|secretName s
~networking.v1.NetworkPolicy K=networking.k8s.io/v1/NetworkPolicy|kind s|apiVersion s|metadata @388 Z|spec @331 Z
~networking.v1.NetworkPolicyEgressRule|ports [@330 A|to [@329 A
~networking.v1.NetworkPolicyIngressRule|ports [@330 A|from [@329 A
~networking.v1.NetworkPolicyPeer|podSelector @384|namespaceSelector @384|ipBlock @312
~networking.v1.NetworkPolicyPort|protocol s T=v1.Protocol|port I|endPort i
~networking.v1.NetworkPolicySpec|podSelector @384 Z|ingress [@328 A|egress [@327 A|policyTypes [s A
~networking.v1.ServiceBackendPort A|name s|number i
~node.v1.Overhead|podFixed {q
~node.v1.RuntimeClass K=node.k8s.io/v1/RuntimeClass|kind s|apiVersion s|metadata @388|handler s !|overhead @333|scheduling @335
~node.v1.Scheduling|nodeSelector {s A|tolerations [@284 A
~policy.v1.Eviction K=policy/v1/Eviction|kind s|apiVersion s|metadata @388 Z|deleteOptions @382
~policy.v1.PodDisruptionBudget K=policy/v1/PodDisruptionBudget|kind s|apiVersion s|metadata @388 Z|spec @338 Z|status @339 Z
~policy.v1.PodDisruptionBudgetSpec|minAvailable I|selector @384 P=replace|maxUnavailable I|unhealthyPodEvictionPolicy s
~policy.v1.PodDisruptionBudgetStatus|observedGeneration l|disruptedPods {t|disruptionsAllowed i Z|currentHealthy i Z|desiredHealthy i Z|expectedPods i Z|conditions [@381 L=type P=merge M=type
~rbac.v1.AggregationRule|clusterRoleSelectors [@384 A
~rbac.v1.ClusterRole K=rbac.authorization.k8s.io/v1/ClusterRole|kind s|apiVersion s|metadata @388 Z|rules [@343 A|aggregationRule @340
~rbac.v1.ClusterRoleBinding K=rbac.authorization.k8s.io/v1/ClusterRoleBinding|kind s|apiVersion s|metadata @388 Z|subjects [@347 A|roleRef @346 ! Z
~rbac.v1.PolicyRule|verbs [s ! A|apiGroups [s A|resources [s A|resourceNames [s A|nonResourceURLs [s A
~rbac.v1.Role K=rbac.authorization.k8s.io/v1/Role|kind s|apiVersion s|metadata @388 Z|rules [@343 A
~rbac.v1.RoleBinding K=rbac.authorization.k8s.io/v1/RoleBinding|kind s|apiVersion s|metadata @388 Z|subjects [@347 A|roleRef @346 ! Z
~rbac.v1.RoleRef A|apiGroup s Z|kind s ! Z|name s ! Z
~rbac.v1.Subject A|kind s ! Z|apiGroup s|name s ! Z|namespace s
~scheduling.v1.PriorityClass K=scheduling.k8s.io/v1/PriorityClass|kind s|apiVersion s|metadata @388 Z|value i Z|globalDefault b|description s|preemptionPolicy s T=v1.PreemptionPolicy
~storage.v1.CSIDriver K=storage.k8s.io/v1/CSIDriver|kind s|apiVersion s|metadata @388 Z|spec @350 ! Z
~storage.v1.CSIDriverSpec|attachRequired b|podInfoOnMount b|volumeLifecycleModes [s S|storageCapacity b|fsGroupPolicy s|tokenRequests [@355 A|requiresRepublish b|seLinuxMount b|nodeAllocatableUpdatePeriodSeconds l|serviceAccountTokenInSecrets b|preventPodSchedulingIfMissing b
~storage.v1.CSINode K=storage.k8s.io/v1/CSINode|kind s|apiVersion s|metadata @388 Z|spec @353 ! Z
~storage.v1.CSINodeDriver|name s ! Z|nodeID s ! Z|topologyKeys [s A|allocatable @361
~storage.v1.CSINodeSpec|drivers [@352 ! L=name P=merge M=name
~storage.v1.StorageClass K=storage.k8s.io/v1/StorageClass|kind s|apiVersion s|metadata @388 Z|provisioner s ! Z|parameters {s|reclaimPolicy s T=v1.PersistentVolumeReclaimPolicy|mountOptions [s A|allowVolumeExpansion b|volumeBindingMode s T=v1.VolumeBindingMode|allowedTopologies [@286 A
~storage.v1.TokenRequest|audience s ! Z|expirationSeconds l
~storage.v1.VolumeAttachment K=storage.k8s.io/v1/VolumeAttachment|kind s|apiVersion s|metadata @388 Z|spec @358 ! Z|status @359 Z
~storage.v1.VolumeAttachmentSource|persistentVolumeName s|inlineVolumeSpec @214
~storage.v1.VolumeAttachmentSpec|attacher s ! Z|source @357 ! Z|nodeName s ! Z
~storage.v1.VolumeAttachmentStatus|attached b ! Z|attachmentMetadata {s|attachError @360|detachError @360
~storage.v1.VolumeError|time t|message s|errorCode i
~storage.v1.VolumeNodeResources|count i
%apiextensions.v1.CustomResourceColumnDefinition|name s ! Z|type s ! Z|format s|description s|priority i|jsonPath s ! Z
%apiextensions.v1.CustomResourceConversion|strategy s ! Z|webhook @380
%apiextensions.v1.CustomResourceDefinition K=apiextensions.k8s.io/v1/CustomResourceDefinition|kind s|apiVersion s|metadata @388 Z|spec @367 ! Z|status @368 Z
%apiextensions.v1.CustomResourceDefinitionCondition|type s ! Z|status s ! Z|lastTransitionTime t Z|reason s|message s|observedGeneration l
%apiextensions.v1.CustomResourceDefinitionNames|plural s ! Z|singular s|shortNames [s A|kind s ! Z|listKind s|categories [s A
%apiextensions.v1.CustomResourceDefinitionSpec|group s ! Z|names @366 ! Z|scope s ! Z T=v1.ResourceScope|versions [@369 ! A|conversion @363|preserveUnknownFields b
%apiextensions.v1.CustomResourceDefinitionStatus|conditions [@365 N L=type|acceptedNames @366 Z|storedVersions [s A|observedGeneration l
%apiextensions.v1.CustomResourceDefinitionVersion|name s ! Z|served b ! Z|storage b ! Z|deprecated b|deprecationWarning s|schema @373|subresources @372|additionalPrinterColumns [@362 A|selectableFields [@376 A
%apiextensions.v1.CustomResourceSubresourceScale|specReplicasPath s ! Z|statusReplicasPath s ! Z|labelSelectorPath s
%apiextensions.v1.CustomResourceSubresourceStatus
%apiextensions.v1.CustomResourceSubresources|status @371|scale @370
%apiextensions.v1.CustomResourceValidation|openAPIV3Schema @375
%apiextensions.v1.ExternalDocumentation|description s|url s
%apiextensions.v1.JSONSchemaProps|id s|$schema s|$ref s|description s|type s|format s|title s|default x|maximum f|exclusiveMaximum b|minimum f|exclusiveMinimum b|maxLength l|minLength l|pattern s|maxItems l|minItems l|uniqueItems b|multipleOf f|enum [x A|maxProperties l|minProperties l|required [s A|items J375|allOf [@375 A|oneOf [@375 A|anyOf [@375 A|not @375|properties {@375|additionalProperties J375|patternProperties {@375|dependencies {x|additionalItems J375|definitions {@375|externalDocs @374|example x|nullable b|x-kubernetes-preserve-unknown-fields b|x-kubernetes-embedded-resource b|x-kubernetes-int-or-string b|x-kubernetes-list-map-keys [s A|x-kubernetes-list-type s|x-kubernetes-map-type s|x-kubernetes-validations [@378 L=rule P=merge M=rule
%apiextensions.v1.SelectableField|jsonPath s ! Z
%apiextensions.v1.ServiceReference|name s ! Z|namespace s ! Z|path s|port i
%apiextensions.v1.ValidationRule|rule s ! Z|message s|messageExpression s|reason s|fieldPath s|optionalOldSelf b
%apiextensions.v1.WebhookClientConfig|caBundle y|service @377|url s
%apiextensions.v1.WebhookConversion|clientConfig @379|conversionReviewVersions [s ! A
^apis.meta.v1.Condition|type s ! Z|status s ! Z T=v1.ConditionStatus|observedGeneration l|lastTransitionTime t ! Z|reason s ! Z|message s ! Z
^apis.meta.v1.DeleteOptions K=/v1/DeleteOptions|kind s|apiVersion s|gracePeriodSeconds l|preconditions @390|orphanDependents b|propagationPolicy s|dryRun [s A|ignoreStoreReadErrorWithClusterBreakingPotential b
^apis.meta.v1.FieldSelectorRequirement|key s ! Z|operator s ! Z|values [s A
^apis.meta.v1.LabelSelector A|matchLabels {s|matchExpressions [@385 A
^apis.meta.v1.LabelSelectorRequirement|key s ! Z|operator s ! Z T=v1.LabelSelectorOperator|values [s A
^apis.meta.v1.ListMeta|selfLink s|resourceVersion s|continue s|remainingItemCount l|shardInfo @391
^apis.meta.v1.ManagedFieldsEntry|manager s|operation s|apiVersion s|time t|fieldsType s|fieldsV1 o|subresource s
^apis.meta.v1.ObjectMeta|name s|generateName s|namespace s|selfLink s|uid s T=types.UID|resourceVersion s|generation l|creationTimestamp t|deletionTimestamp t|deletionGracePeriodSeconds l|labels {s|annotations {s|ownerReferences [@389 L=uid P=merge M=uid|finalizers [s S P=merge|managedFields [@387 A
^apis.meta.v1.OwnerReference A|apiVersion s ! Z|kind s ! Z|name s ! Z|uid s ! Z T=types.UID|controller b|blockOwnerDeletion b
^apis.meta.v1.Preconditions|uid s T=types.UID|resourceVersion s
^apis.meta.v1.ShardInfo|selector s ! Z
^apis.meta.v1.Status K=/v1/Status|kind s|apiVersion s|metadata @386 Z|status s|message s|reason s|details @394|code i
^apis.meta.v1.StatusCause|reason s|message s|field s
^apis.meta.v1.StatusDetails|name s|group s|kind s|uid s|causes [@393 A|retryAfterSeconds i
"""#
