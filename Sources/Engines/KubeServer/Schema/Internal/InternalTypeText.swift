// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// swift-format-ignore-file

/// The real server's own types in memory, one a line: its name, then each field with its type behind a space.
///
/// `s` is text (left out), `i` a whole number, `b` a truth value, `q` a quantity, `p` a number or text, `{` a map, `=` what
/// is printed as in the API; `*` stands before what may be null and `[` before lists. A field's name in the API is the
/// same with a small beginning, or stands behind `=`.
let internalTypeText = #"""
PodSpec|Volumes [Volume|InitContainers [Container|Containers [Container|EphemeralContainers [EphemeralContainer|RestartPolicy|TerminationGracePeriodSeconds *i|ActiveDeadlineSeconds *i|DNSPolicy|NodeSelector {|ServiceAccountName|AutomountServiceAccountToken *b|NodeName|SecurityContext *PodSecurityContext|ImagePullSecrets [LocalObjectReference|Hostname|Subdomain|SetHostnameAsFQDN *b|Affinity *Affinity|SchedulerName|Tolerations [Toleration|HostAliases [HostAlias|PriorityClassName|Priority *i|PreemptionPolicy *s|DNSConfig *PodDNSConfig|ReadinessGates [PodReadinessGate|RuntimeClassName *s|Overhead {|EnableServiceLinks *b|TopologySpreadConstraints [TopologySpreadConstraint|OS *PodOS|SchedulingGates [PodSchedulingGate|ResourceClaims [PodResourceClaim|Resources *ResourceRequirements|HostnameOverride *s|SchedulingGroup *PodSchedulingGroup
Volume|Name|HostPath *HostPathVolumeSource|EmptyDir *EmptyDirVolumeSource|GCEPersistentDisk *GCEPersistentDiskVolumeSource|AWSElasticBlockStore *AWSElasticBlockStoreVolumeSource|GitRepo *GitRepoVolumeSource|Secret *SecretVolumeSource|NFS *NFSVolumeSource|ISCSI *ISCSIVolumeSource|Glusterfs *GlusterfsVolumeSource|PersistentVolumeClaim *PersistentVolumeClaimVolumeSource|RBD *RBDVolumeSource|Quobyte *QuobyteVolumeSource|FlexVolume *FlexVolumeSource|Cinder *CinderVolumeSource|CephFS=cephfs *CephFSVolumeSource|Flocker *FlockerVolumeSource|DownwardAPI *DownwardAPIVolumeSource|FC *FCVolumeSource|AzureFile *AzureFileVolumeSource|ConfigMap *ConfigMapVolumeSource|VsphereVolume *VsphereVirtualDiskVolumeSource|AzureDisk *AzureDiskVolumeSource|PhotonPersistentDisk *PhotonPersistentDiskVolumeSource|Projected *ProjectedVolumeSource|PortworxVolume *PortworxVolumeSource|ScaleIO *ScaleIOVolumeSource|StorageOS=storageos *StorageOSVolumeSource|CSI *CSIVolumeSource|Ephemeral *EphemeralVolumeSource|Image *ImageVolumeSource
HostPathVolumeSource|Path|Type *s
EmptyDirVolumeSource|Medium|SizeLimit *q
GCEPersistentDiskVolumeSource|PDName|FSType|Partition i|ReadOnly b
AWSElasticBlockStoreVolumeSource|VolumeID|FSType|Partition i|ReadOnly b
GitRepoVolumeSource|Repository|Revision|Directory
SecretVolumeSource|SecretName|Items [KeyToPath|DefaultMode *i|Optional *b
KeyToPath|Key|Path|Mode *i
NFSVolumeSource|Server|Path|ReadOnly b
ISCSIVolumeSource|TargetPortal|IQN|Lun i|ISCSIInterface|FSType|ReadOnly b|Portals [s|DiscoveryCHAPAuth=chapAuthDiscovery b|SessionCHAPAuth=chapAuthSession b|SecretRef *LocalObjectReference|InitiatorName *s
LocalObjectReference|Name
GlusterfsVolumeSource|EndpointsName=endpoints|Path|ReadOnly b
PersistentVolumeClaimVolumeSource|ClaimName|ReadOnly b
RBDVolumeSource|CephMonitors=monitors [s|RBDImage=image|FSType|RBDPool=pool|RadosUser=user|Keyring|SecretRef *LocalObjectReference|ReadOnly b
QuobyteVolumeSource|Registry|Volume|ReadOnly b|User|Group|Tenant
FlexVolumeSource|Driver|FSType|SecretRef *LocalObjectReference|ReadOnly b|Options {
CinderVolumeSource|VolumeID|FSType|ReadOnly b|SecretRef *LocalObjectReference
CephFSVolumeSource|Monitors [s|Path|User|SecretFile|SecretRef *LocalObjectReference|ReadOnly b
FlockerVolumeSource|DatasetName|DatasetUUID
DownwardAPIVolumeSource|Items [DownwardAPIVolumeFile|DefaultMode *i
DownwardAPIVolumeFile|Path|FieldRef *ObjectFieldSelector|ResourceFieldRef *ResourceFieldSelector|Mode *i
ObjectFieldSelector|APIVersion|FieldPath
ResourceFieldSelector|ContainerName|Resource|Divisor q
FCVolumeSource|TargetWWNs [s|Lun *i|FSType|ReadOnly b|WWIDs=wwids [s
AzureFileVolumeSource|SecretName|ShareName|ReadOnly b
ConfigMapVolumeSource|Name|Items [KeyToPath|DefaultMode *i|Optional *b
VsphereVirtualDiskVolumeSource|VolumePath|FSType|StoragePolicyName|StoragePolicyID
AzureDiskVolumeSource|DiskName|DataDiskURI=diskURI|CachingMode *s|FSType *s|ReadOnly *b|Kind *s
PhotonPersistentDiskVolumeSource|PdID|FSType
ProjectedVolumeSource|Sources [VolumeProjection|DefaultMode *i
VolumeProjection|Secret *SecretProjection|DownwardAPI *DownwardAPIProjection|ConfigMap *ConfigMapProjection|ServiceAccountToken *ServiceAccountTokenProjection|ClusterTrustBundle *ClusterTrustBundleProjection|PodCertificate *PodCertificateProjection
SecretProjection|Name|Items [KeyToPath|Optional *b
DownwardAPIProjection|Items [DownwardAPIVolumeFile
ConfigMapProjection|Name|Items [KeyToPath|Optional *b
ServiceAccountTokenProjection|Audience|ExpirationSeconds i|Path
ClusterTrustBundleProjection|Name *s|SignerName *s|LabelSelector *=|Optional *b|Path
PodCertificateProjection|SignerName|KeyType|MaxExpirationSeconds *i|CredentialBundlePath|KeyPath|CertificateChainPath|UserAnnotations {
PortworxVolumeSource|VolumeID|FSType|ReadOnly b
ScaleIOVolumeSource|Gateway|System|SecretRef *LocalObjectReference|SSLEnabled b|ProtectionDomain|StoragePool|StorageMode|VolumeName|FSType|ReadOnly b
StorageOSVolumeSource|VolumeName|VolumeNamespace|FSType|ReadOnly b|SecretRef *LocalObjectReference
CSIVolumeSource|Driver|ReadOnly *b|FSType *s|VolumeAttributes {|NodePublishSecretRef *LocalObjectReference
EphemeralVolumeSource|VolumeClaimTemplate *PersistentVolumeClaimTemplate
PersistentVolumeClaimTemplate|Spec PersistentVolumeClaimSpec
PersistentVolumeClaimSpec|AccessModes [s|Selector *=|Resources VolumeResourceRequirements|VolumeName|StorageClassName *s|VolumeMode *s|DataSource *TypedLocalObjectReference|DataSourceRef *TypedObjectReference|VolumeAttributesClassName *s
VolumeResourceRequirements|Limits {|Requests {
TypedLocalObjectReference|APIGroup *s|Kind|Name
TypedObjectReference|APIGroup *s|Kind|Name|Namespace *s
ImageVolumeSource|Reference|PullPolicy
Container|Name|Image|Command [s|Args [s|WorkingDir|Ports [ContainerPort|EnvFrom [EnvFromSource|Env [EnvVar|Resources ResourceRequirements|ResizePolicy [ContainerResizePolicy|RestartPolicy *s|RestartPolicyRules [ContainerRestartRule|VolumeMounts [VolumeMount|VolumeDevices [VolumeDevice|LivenessProbe *Probe|ReadinessProbe *Probe|StartupProbe *Probe|Lifecycle *Lifecycle|TerminationMessagePath|TerminationMessagePolicy|ImagePullPolicy|SecurityContext *SecurityContext|Stdin b|StdinOnce b|TTY b
ContainerPort|Name|HostPort i|ContainerPort i|Protocol|HostIP
EnvFromSource|Prefix|ConfigMapRef *ConfigMapEnvSource|SecretRef *SecretEnvSource
ConfigMapEnvSource|Name|Optional *b
SecretEnvSource|Name|Optional *b
EnvVar|Name|Value|ValueFrom *EnvVarSource
EnvVarSource|FieldRef *ObjectFieldSelector|ResourceFieldRef *ResourceFieldSelector|ConfigMapKeyRef *ConfigMapKeySelector|SecretKeyRef *SecretKeySelector|FileKeyRef *FileKeySelector
ConfigMapKeySelector|Name|Key|Optional *b
SecretKeySelector|Name|Key|Optional *b
FileKeySelector|VolumeName|Path|Key|Optional *b
ResourceRequirements|Limits {|Requests {|Claims [ResourceClaim
ResourceClaim|Name|Request
ContainerResizePolicy|ResourceName|RestartPolicy
ContainerRestartRule|Action|ExitCodes *ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes|Operator|Values [i
VolumeMount|Name|ReadOnly b|RecursiveReadOnly *s|MountPath|SubPath|MountPropagation *s|SubPathExpr
VolumeDevice|Name|DevicePath
Probe|Exec *ExecAction|HTTPGet *HTTPGetAction|TCPSocket *TCPSocketAction|GRPC *GRPCAction|InitialDelaySeconds i|TimeoutSeconds i|PeriodSeconds i|SuccessThreshold i|FailureThreshold i|TerminationGracePeriodSeconds *i
ExecAction|Command [s
HTTPGetAction|Path|Port p|Host|Scheme|HTTPHeaders [HTTPHeader
HTTPHeader|Name|Value
TCPSocketAction|Port p|Host
GRPCAction|Port i|Service *s
Lifecycle|PostStart *LifecycleHandler|PreStop *LifecycleHandler|StopSignal *s
LifecycleHandler|Exec *ExecAction|HTTPGet *HTTPGetAction|TCPSocket *TCPSocketAction|Sleep *SleepAction
SleepAction|Seconds i
SecurityContext|Capabilities *Capabilities|Privileged *b|SELinuxOptions *SELinuxOptions|WindowsOptions *WindowsSecurityContextOptions|RunAsUser *i|RunAsGroup *i|RunAsNonRoot *b|ReadOnlyRootFilesystem *b|AllowPrivilegeEscalation *b|ProcMount *s|SeccompProfile *SeccompProfile|AppArmorProfile *AppArmorProfile
Capabilities|Add [s|Drop [s
SELinuxOptions|User|Role|Type|Level
WindowsSecurityContextOptions|GMSACredentialSpecName *s|GMSACredentialSpec *s|RunAsUserName *s|HostProcess *b
SeccompProfile|Type|LocalhostProfile *s
AppArmorProfile|Type|LocalhostProfile *s
EphemeralContainer|Name|Image|Command [s|Args [s|WorkingDir|Ports [ContainerPort|EnvFrom [EnvFromSource|Env [EnvVar|Resources ResourceRequirements|ResizePolicy [ContainerResizePolicy|RestartPolicy *s|RestartPolicyRules [ContainerRestartRule|VolumeMounts [VolumeMount|VolumeDevices [VolumeDevice|LivenessProbe *Probe|ReadinessProbe *Probe|StartupProbe *Probe|Lifecycle *Lifecycle|TerminationMessagePath|TerminationMessagePolicy|ImagePullPolicy|SecurityContext *SecurityContext|Stdin b|StdinOnce b|TTY b|TargetContainerName
PodSecurityContext|HostNetwork b|HostPID b|HostIPC b|ShareProcessNamespace *b|HostUsers *b|SELinuxOptions *SELinuxOptions|WindowsOptions *WindowsSecurityContextOptions|RunAsUser *i|RunAsGroup *i|RunAsNonRoot *b|SupplementalGroups [i|SupplementalGroupsPolicy *s|FSGroup *i|FSGroupChangePolicy *s|Sysctls [Sysctl|SeccompProfile *SeccompProfile|AppArmorProfile *AppArmorProfile|SELinuxChangePolicy *s
Sysctl|Name|Value
Affinity|NodeAffinity *NodeAffinity|PodAffinity *PodAffinity|PodAntiAffinity *PodAntiAffinity
NodeAffinity|RequiredDuringSchedulingIgnoredDuringExecution *NodeSelector|PreferredDuringSchedulingIgnoredDuringExecution [PreferredSchedulingTerm
NodeSelector|NodeSelectorTerms [NodeSelectorTerm
NodeSelectorTerm|MatchExpressions [NodeSelectorRequirement|MatchFields [NodeSelectorRequirement
NodeSelectorRequirement|Key|Operator|Values [s
PreferredSchedulingTerm|Weight i|Preference NodeSelectorTerm
PodAffinity|RequiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm|PreferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm
PodAffinityTerm|LabelSelector *=|Namespaces [s|TopologyKey|NamespaceSelector *=|MatchLabelKeys [s|MismatchLabelKeys [s
WeightedPodAffinityTerm|Weight i|PodAffinityTerm PodAffinityTerm
PodAntiAffinity|RequiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm|PreferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm
Toleration|Key|Operator|Value|Effect|TolerationSeconds *i
HostAlias|IP|Hostnames [s
PodDNSConfig|Nameservers [s|Searches [s|Options [PodDNSConfigOption
PodDNSConfigOption|Name|Value *s
PodReadinessGate|ConditionType
TopologySpreadConstraint|MaxSkew i|TopologyKey|WhenUnsatisfiable|LabelSelector *=|MinDomains *i|NodeAffinityPolicy *s|NodeTaintsPolicy *s|MatchLabelKeys [s
PodOS|Name
PodSchedulingGate|Name
PodResourceClaim|Name|ResourceClaimName *s|ResourceClaimTemplateName *s
PodSchedulingGroup|PodGroupName *s
DaemonSetUpdateStrategy|Type|RollingUpdate *RollingUpdateDaemonSet
RollingUpdateDaemonSet|MaxUnavailable p|MaxSurge p
SuccessPolicy|Rules [SuccessPolicyRule
SuccessPolicyRule|SucceededIndexes *s|SucceededCount *i
PodFailurePolicyRule|Action|OnExitCodes *PodFailurePolicyOnExitCodesRequirement|OnPodConditions [PodFailurePolicyOnPodConditionsPattern
PodFailurePolicyOnExitCodesRequirement|ContainerName *s|Operator|Values [i
PodFailurePolicyOnPodConditionsPattern|Type|Status
RoleRef|APIGroup|Kind|Name
Taint|Key|Value|Effect|TimeAdded *=
MetricSpec|Type|Object *ObjectMetricSource|Pods *PodsMetricSource|Resource *ResourceMetricSource|ContainerResource *ContainerResourceMetricSource|External *ExternalMetricSource
ObjectMetricSource|DescribedObject CrossVersionObjectReference|Target MetricTarget|Metric MetricIdentifier
CrossVersionObjectReference|Kind|Name|APIVersion
MetricTarget|Type|Value *q|AverageValue *q|AverageUtilization *i
MetricIdentifier|Name|Selector *=
PodsMetricSource|Metric MetricIdentifier|Target MetricTarget
ResourceMetricSource|Name|Target MetricTarget
ContainerResourceMetricSource|Name|Container|Target MetricTarget
ExternalMetricSource|Metric MetricIdentifier|Target MetricTarget
IngressBackend|Service *IngressServiceBackend|Resource *TypedLocalObjectReference
IngressServiceBackend|Name|Port ServiceBackendPort
ServiceBackendPort|Name|Number i
PersistentVolumeSource|GCEPersistentDisk *GCEPersistentDiskVolumeSource|AWSElasticBlockStore *AWSElasticBlockStoreVolumeSource|HostPath *HostPathVolumeSource|Glusterfs *GlusterfsPersistentVolumeSource|NFS *NFSVolumeSource|RBD *RBDPersistentVolumeSource|Quobyte *QuobyteVolumeSource|ISCSI *ISCSIPersistentVolumeSource|FlexVolume *FlexPersistentVolumeSource|Cinder *CinderPersistentVolumeSource|CephFS=cephfs *CephFSPersistentVolumeSource|FC *FCVolumeSource|Flocker *FlockerVolumeSource|AzureFile *AzureFilePersistentVolumeSource|VsphereVolume *VsphereVirtualDiskVolumeSource|AzureDisk *AzureDiskVolumeSource|PhotonPersistentDisk *PhotonPersistentDiskVolumeSource|PortworxVolume *PortworxVolumeSource|ScaleIO *ScaleIOPersistentVolumeSource|Local *LocalVolumeSource|StorageOS=storageos *StorageOSPersistentVolumeSource|CSI *CSIPersistentVolumeSource
GlusterfsPersistentVolumeSource|EndpointsName=endpoints|Path|ReadOnly b|EndpointsNamespace *s
RBDPersistentVolumeSource|CephMonitors=monitors [s|RBDImage=image|FSType|RBDPool=pool|RadosUser=user|Keyring|SecretRef *SecretReference|ReadOnly b
SecretReference|Name|Namespace
ISCSIPersistentVolumeSource|TargetPortal|IQN|Lun i|ISCSIInterface|FSType|ReadOnly b|Portals [s|DiscoveryCHAPAuth=chapAuthDiscovery b|SessionCHAPAuth=chapAuthSession b|SecretRef *SecretReference|InitiatorName *s
FlexPersistentVolumeSource|Driver|FSType|SecretRef *SecretReference|ReadOnly b|Options {
CinderPersistentVolumeSource|VolumeID|FSType|ReadOnly b|SecretRef *SecretReference
CephFSPersistentVolumeSource|Monitors [s|Path|User|SecretFile|SecretRef *SecretReference|ReadOnly b
AzureFilePersistentVolumeSource|SecretName|ShareName|ReadOnly b|SecretNamespace *s
ScaleIOPersistentVolumeSource|Gateway|System|SecretRef *SecretReference|SSLEnabled b|ProtectionDomain|StoragePool|StorageMode|VolumeName|FSType|ReadOnly b
LocalVolumeSource|Path|FSType *s
StorageOSPersistentVolumeSource|VolumeName|VolumeNamespace|FSType|ReadOnly b|SecretRef *ObjectReference
ObjectReference|Kind|Namespace|Name|UID =|APIVersion|ResourceVersion|FieldPath
CSIPersistentVolumeSource|Driver|VolumeHandle|ReadOnly b|FSType|VolumeAttributes {|ControllerPublishSecretRef *SecretReference|NodeStageSecretRef *SecretReference|NodePublishSecretRef *SecretReference|ControllerExpandSecretRef *SecretReference|NodeExpandSecretRef *SecretReference
VolumeNodeAffinity|Required *NodeSelector
IPBlock|CIDR|Except [s
ScopeSelector|MatchExpressions [ScopedResourceSelectorRequirement
ScopedResourceSelectorRequirement|ScopeName|Operator|Values [s
ServicePort|Name|Protocol|AppProtocol *s|Port i|TargetPort p|NodePort i
PodIP|IP
HTTPIngressPath|Path|PathType *s|Backend IngressBackend
CustomResourceDefinitionVersion|Name|Served b|Storage b|Deprecated b|DeprecationWarning *s|Schema *=|Subresources *=|AdditionalPrinterColumns *=|SelectableFields *=
"""#
