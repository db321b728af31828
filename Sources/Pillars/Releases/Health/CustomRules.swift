// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What is particular to well-known custom resources: where they tell how they are, and what they mean by it.
struct CustomRule: Sendable {
    /// Paths below `status` of words that tell; `*` stands for every member.
    var words: [String] = []
    /// The conditions that decide, before those that everybody has.
    var conditions: [String] = []
    /// Conditions that are false for as long as there is work to do.
    var soft: Set<String> = []
    /// Words of its own.
    var suspended: Set<String> = []
    var failed: Set<String> = []
    /// Members of the status that are true where something is wrong.
    var flags: [String] = []
    /// Whether `Running` means that it has got there.
    var runningIsDone = true
    /// Whether a decisive condition that is false is a failure, whatever its reason.
    var falseIsFailure = false
    /// Whether a status that tells nothing is one that somebody will still fill.
    var needsWords = false
    /// Whether it is as asked even without a status.
    var isSilent = false
    /// Whether only its conditions count.
    var ignoresWords = false

    /// The rule for a kind, else the one for its group.
    static func of(_ kind: String, _ group: String) -> CustomRule? { table["\(group)/\(kind)"] ?? table["\(group)/*"] }

    /// One line per rule: groups, kinds after a slash, then what differs from the rules for all.
    private static let text = """
        acid.zalan.do word=PostgresClusterStatus
        apiextensions.crossplane.io/Composition,CompositionRevision,EnvironmentConfig silent
        apps.kruise.io/BroadcastJob word=phase running=work
        apps.openshift.io/DeploymentConfig conditions=Progressing,Available
        argoproj.io/Application word=health.status
        argoproj.io/ApplicationSet conditions=ResourcesUpToDate
        argoproj.io/CronWorkflow,WorkflowTemplate,ClusterWorkflowTemplate,AppProject silent
        argoproj.io/EventBus,EventSource,Sensor false=failed
        argoproj.io/Experiment,AnalysisRun,Workflow word=phase running=work
        astra.netapp.io word=state running=work
        astra.netapp.io/Application conditions=Ready
        astra.netapp.io/Schedule silent
        batch.volcano.sh/Job word=state.phase running=work
        beat.k8s.elastic.co,elasticsearch.k8s.elastic.co,kibana.k8s.elastic.co word=health,phase
        apm.k8s.elastic.co,agent.k8s.elastic.co,logstash.k8s.elastic.co word=health,phase
        bitnami.com/SealedSecret conditions=Synced false=failed
        camel.apache.org word=phase
        capabilities.3scale.net conditions=Ready,Synced
        cdi.kubevirt.io word=phase
        cert-manager.io,certmanager.k8s.io,acme.cert-manager.io conditions=Ready
        cloudfront.aws.crossplane.io,rds.aws.crossplane.io conditions=Ready
        cluster.x-k8s.io/Cluster,MachinePool word=phase
        controlplane.cluster.x-k8s.io soft=Ready
        core.gardener.cloud/Shoot word=lastOperation.state
        core.humio.com word=state
        external-secrets.io conditions=Ready false=failed
        flagger.app/Canary word=phase
        gateway.networking.k8s.io,microgateway.airlock.com needs
        gateway.solo.io,gloo.solo.io word=statuses.*.state,state suspended=Pending,0 failed=2,3
        grafana.integreatly.org flag=NoMatchingInstances
        helm.toolkit.fluxcd.io,kustomize.toolkit.fluxcd.io,source.toolkit.fluxcd.io conditions=Ready
        k8s.mariadb.com,mariadb.mmontes.io conditions=Ready,Complete
        kafka.banzaicloud.io word=state,cruiseControlTopicStatus,brokersState.*.configurationState
        karpenter.sh,karpenter.k8s.aws conditions=Ready false=failed
        keda.sh conditions=Ready
        kubevirt.io word=printableStatus,phase
        kyverno.io conditions=Ready
        lifecycle.keptn.sh,metrics.keptn.sh word=overallStatus,state
        metrics.keptn.sh/KeptnMetric plain
        longhorn.io word=state
        minio.min.io/Tenant word=currentState
        monitoring.coreos.com conditions=Available
        networking.gke.io/ManagedCertificate word=certificateStatus,domainStatus.status
        operator.knative.dev,serving.knative.dev,eventing.knative.dev soft=Ready
        operator.victoriametrics.com word=updateStatus,status,clusterStatus
        policy.open-cluster-management.io word=compliant
        proclaim.dogmatiq.io conditions=Adopted,Advertised,Discoverable soft=Discoverable false=failed
        promoter.argoproj.io conditions=Ready false=failed plain
        promoter.argoproj.io/GitCommitStatus,WebRequestCommitStatus,TimedCommitStatus word=environments.phase conditions=Ready false=failed
        rabbitmq.com/RabbitmqCluster conditions=ReconcileSuccess soft=AllReplicasReady,ClusterAvailable false=failed
        sparkoperator.k8s.io word=applicationState.state
        tekton.dev conditions=Succeeded
        work.karmada.io word=aggregatedStatus.health failed=Unknown
        tower.ansible.com word=ansibleJobResult.status running=work
        """

    private static let table: [String: CustomRule] = {
        var table: [String: CustomRule] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            let names = fields[0].split(separator: "/", maxSplits: 1)
            let kinds = names.count == 2 ? names[1].split(separator: ",") : ["*"]
            let rule = CustomRule(fields.dropFirst())
            for group in names[0].split(separator: ",") {
                for kind in kinds { table["\(group)/\(kind)"] = rule }
            }
        }
        return table
    }()

    private init(_ options: some Sequence<Substring>) {
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1)
            let values = parts.count == 2 ? parts[1].split(separator: ",").map(String.init) : []
            switch parts[0] {
            case "word": words = values
            case "conditions": conditions = values
            case "soft": soft = Set(values)
            case "suspended": suspended = Set(values)
            case "failed": failed = Set(values)
            case "flag": flags = values
            case "running": runningIsDone = false
            case "false": falseIsFailure = true
            case "needs": needsWords = true
            case "silent": isSilent = true
            case "plain": ignoresWords = true
            default: preconditionFailure("the table has no option '\(parts[0])'")
            }
        }
    }

    init() {}
}
