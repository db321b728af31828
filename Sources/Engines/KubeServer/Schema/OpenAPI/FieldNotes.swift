// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Short descriptions, in our own words, of the fields that people look up most; `kubectl explain` shows them.
enum FieldNotes {
    static let patch = "A patch in one of the formats that its content type names."

    /// What a kind is for.
    static func of(_ type: SchemaType) -> String? { types[type.shortName] }

    /// What a field means: said for the field of that type, or for all fields of that name.
    static func of(_ field: String, in type: SchemaType?) -> String? {
        if let type, let text = fields["\(type.shortName).\(field)"] { return text }
        return common[field]
    }

    /// The schema of a type that is not an object with fields.
    static func special(_ name: String, _ dialect: OpenAPIDialect) -> JSON {
        let short = name.split(separator: ".").last.map(String.init) ?? name
        var schema: JSON = [:]
        if let text = types[short] { schema["description"] = .string(text) }
        switch short {
        case "Quantity" where dialect == .v3: schema["oneOf"] = [["type": "string"], ["type": "number"]]
        case "IntOrString" where dialect == .v3:
            schema["format"] = "int-or-string"
            schema["oneOf"] = [["type": "integer"], ["type": "string"]]
        case "IntOrString":
            schema["type"] = "string"
            schema["format"] = "int-or-string"
        case "Time", "MicroTime":
            schema["type"] = "string"
            schema["format"] = "date-time"
        case "JSON": break
        case "RawExtension": schema["type"] = "object"
        default: schema["type"] = "string"
        }
        return schema
    }

    private static let types: [String: String] = [
        "ConfigMap": "Settings as text, for pods to read as environment variables or files.",
        "Container": "One container of a pod: an image and how to run it.",
        "CronJob": "Starts jobs on a schedule.",
        "CustomResourceDefinition": "Adds a kind of object to the API.",
        "DaemonSet": "Runs one pod on every node that fits.",
        "Deployment":
            "Keeps a number of equal pods running and replaces them step by step when their template changes.",
        "EndpointSlice": "Some of the addresses behind a service.",
        "Event": "Something that happened to an object.",
        "HorizontalPodAutoscaler": "Changes the number of pods with their load.",
        "Ingress": "Leads HTTP requests from outside to services, by host and path.",
        "IntOrString": "A whole number, or text such as a percentage or a port's name.",
        "Job": "Runs pods until a number of them have finished well.",
        "LabelSelector": "Picks objects by their labels; all conditions must hold.",
        "Lease": "Says who holds something, and until when.",
        "MicroTime": "A moment as RFC 3339 text with microseconds.",
        "Namespace": "A room for names, within which objects are named and removed together.",
        "Node": "A machine that runs pods.",
        "ObjectMeta": "What every object has: its name, labels, owners and versions.",
        "PersistentVolume": "Storage that outlives pods.",
        "PersistentVolumeClaim": "A request for storage, bound to a persistent volume.",
        "Pod": "Containers that run together on one node and share an address.",
        "PodSpec": "Which containers a pod runs, and how.",
        "PodTemplateSpec": "The pod that a controller makes copies of.",
        "Probe": "A check that the node repeats to learn a container's state.",
        "Quantity": "An amount such as 250m, 1.5 or 128Mi.",
        "RawExtension": "An object of any kind.",
        "ReplicaSet": "Keeps a number of equal pods running; usually made by a deployment.",
        "ResourceRequirements": "How much CPU and memory a container gets.",
        "Scale": "The number of copies of an object that has copies.",
        "Secret": "Small confidential values, such as passwords and keys.",
        "Service": "One stable address for a changing set of pods.",
        "ServiceAccount": "Whom a pod acts as when it calls the API.",
        "StatefulSet": "Runs pods with stable names and storage, one after another.",
        "Status": "The answer to a request that returns no object.",
        "StorageClass": "A way of making storage for claims.",
        "Time": "A moment as RFC 3339 text.",
        "Volume": "Something that containers of a pod can mount.",
    ]

    private static let common: [String: String] = [
        "annotations": "Free notes on the object, as text by key.",
        "apiVersion": "The group and version of the API that this object is written in.",
        "conditions": "Claims about the object's state, each true, false or unknown.",
        "containers": "The containers of the pod; there is at least one.",
        "creationTimestamp": "When the server took the object in.",
        "deletionTimestamp": "When the removal of the object was asked for, or is to happen.",
        "finalizers": "Who must finish work before the object may go.",
        "generation": "Counts changes of what is wanted.",
        "initContainers": "Containers that run one after another before the others start.",
        "kind": "What the object is, such as Pod.",
        "labels": "Text by key, for selecting objects.",
        "metadata": "The object's name, labels, owners and versions.",
        "minReadySeconds": "How long a new pod must stay ready to count as available.",
        "name": "The name, unique among its neighbours.",
        "namespace": "The namespace that the object lives in.",
        "nodeName": "The node that runs the pod.",
        "observedGeneration": "The last generation that the controller has dealt with.",
        "ownerReferences": "The objects that this one belongs to; it goes when they are gone.",
        "replicas": "How many copies there are to be.",
        "resourceVersion": "Changes with every write; a write that names an older one is refused.",
        "resources": "How much CPU and memory is asked for and allowed.",
        "selector": "Which objects are meant, by their labels.",
        "spec": "What is wanted.",
        "status": "What is the case, as the system last saw it.",
        "template": "The pod to make copies of.",
        "type": "Which of several forms this has.",
        "uid": "Tells this object from all others, also former ones of the same name.",
        "volumes": "What the containers can mount.",
    ]

    private static let fields: [String: String] = [
        "Container.args": "Arguments of the command.",
        "Container.command": "The program to run instead of the image's own.",
        "Container.env": "Environment variables.",
        "Container.envFrom": "Config maps and secrets whose entries become environment variables.",
        "Container.image": "The image to run.",
        "Container.imagePullPolicy": "When to fetch the image: Always, IfNotPresent or Never.",
        "Container.livenessProbe": "Restarts the container when it fails.",
        "Container.ports": "The ports that the container listens on.",
        "Container.readinessProbe": "Keeps requests away from the pod while it fails.",
        "Container.startupProbe": "Holds the other probes back until it first succeeds.",
        "Container.volumeMounts": "Where volumes appear in the container's file system.",
        "Container.workingDir": "The folder that the command starts in.",
        "ConfigMap.data": "Text by key.",
        "DeploymentSpec.paused": "Whether changes of the template wait.",
        "DeploymentSpec.progressDeadlineSeconds": "After how long without progress a rollout counts as failed.",
        "DeploymentSpec.revisionHistoryLimit": "How many old replica sets are kept for going back.",
        "DeploymentSpec.strategy": "How old pods give way to new ones.",
        "DeploymentStrategy.type": "RollingUpdate or Recreate.",
        "EnvVar.value": "The text; references of the form $(NAME) are filled in.",
        "EnvVar.valueFrom": "Where the value comes from instead.",
        "IngressSpec.rules": "Which hosts and paths lead to which service.",
        "JobSpec.backoffLimit": "After how many failed pods the job counts as failed.",
        "JobSpec.completions": "How many pods must finish well.",
        "JobSpec.parallelism": "How many pods may run at once.",
        "ObjectMeta.generateName": "The beginning of a name that the server completes.",
        "PodSpec.restartPolicy": "Whether ended containers start again: Always, OnFailure or Never.",
        "PodSpec.serviceAccountName": "Whom the pod acts as.",
        "PodSpec.terminationGracePeriodSeconds": "How long the containers get to stop by themselves.",
        "PodStatus.phase": "Pending, Running, Succeeded, Failed or Unknown.",
        "PodStatus.podIP": "The pod's address.",
        "Secret.data": "Values by key, in base64.",
        "Secret.stringData": "Values by key as plain text; written into data.",
        "ServicePort.nodePort": "The port on every node, for services that open one.",
        "ServicePort.port": "The port that the service answers on.",
        "ServicePort.targetPort": "The port of the pods, by number or name.",
        "ServiceSpec.clusterIP": "The service's address.",
        "ServiceSpec.ports": "The ports that the service answers on.",
        "ServiceSpec.selector": "The labels of the pods behind the service.",
        "ServiceSpec.type": "ClusterIP, NodePort, LoadBalancer or ExternalName.",
    ]
}
