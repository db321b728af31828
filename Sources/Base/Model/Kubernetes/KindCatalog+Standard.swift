// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

extension KindCatalog {
    /// The stable kinds of Kubernetes itself, for planning where no cluster can be asked.
    package static let standard = KindCatalog(parse(standardText))

    /// A group and version on a line of its own; below it, indented, its resources: plural, kind, `N` for namespaced ones and
    /// `C` for others, short names, categories, subresources; `-` for none.
    private static func parse(_ text: String) -> [Entry] {
        var (group, version) = ("", "")
        var entries: [Entry] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard line.hasPrefix(" ") else {
                let parts = words[0].split(separator: "/").map(String.init)
                (group, version) = parts.count > 1 ? (parts[0], parts[1]) : ("", parts[0])
                continue
            }
            func list(_ place: Int) -> [String] {
                guard words.indices.contains(place), words[place] != "-" else { return [] }
                return words[place].split(separator: ",").map(String.init)
            }
            let type = ResourceType(
                group: group,
                version: version,
                plural: words[0],
                kind: words[1],
                isNamespaced: words[2] == "N"
            )
            entries.append(Entry(type: type, shortNames: list(3), categories: list(4), subresources: list(5)))
        }
        return entries
    }

    private static let standardText = """
        v1
          bindings Binding N
          configmaps ConfigMap N cm
          endpoints Endpoints N ep
          events Event N ev
          limitranges LimitRange N limits
          namespaces Namespace C ns - finalize,status
          nodes Node C no - proxy,status
          persistentvolumeclaims PersistentVolumeClaim N pvc - status
          persistentvolumes PersistentVolume C pv - status
          pods Pod N po all attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status
          podtemplates PodTemplate N
          replicationcontrollers ReplicationController N rc all scale,status
          resourcequotas ResourceQuota N quota - status
          secrets Secret N
          serviceaccounts ServiceAccount N sa - token
          services Service N svc all proxy,status
        apiregistration.k8s.io/v1
          apiservices APIService C - api-extensions status
        apps/v1
          controllerrevisions ControllerRevision N
          daemonsets DaemonSet N ds all status
          deployments Deployment N deploy all scale,status
          replicasets ReplicaSet N rs all scale,status
          statefulsets StatefulSet N sts all scale,status
        events.k8s.io/v1
          events Event N ev
        authentication.k8s.io/v1
          selfsubjectreviews SelfSubjectReview C
          tokenreviews TokenReview C
        authorization.k8s.io/v1
          localsubjectaccessreviews LocalSubjectAccessReview N
          selfsubjectaccessreviews SelfSubjectAccessReview C
          selfsubjectrulesreviews SelfSubjectRulesReview C
          subjectaccessreviews SubjectAccessReview C
        autoscaling/v2
          horizontalpodautoscalers HorizontalPodAutoscaler N hpa all status
        autoscaling/v1
          horizontalpodautoscalers HorizontalPodAutoscaler N hpa all status
        batch/v1
          cronjobs CronJob N cj all status
          jobs Job N - all status
        certificates.k8s.io/v1
          certificatesigningrequests CertificateSigningRequest C csr - approval,status
        networking.k8s.io/v1
          ingressclasses IngressClass C
          ingresses Ingress N ing - status
          ipaddresses IPAddress C ip
          networkpolicies NetworkPolicy N netpol
          servicecidrs ServiceCIDR C - - status
        policy/v1
          poddisruptionbudgets PodDisruptionBudget N pdb - status
        rbac.authorization.k8s.io/v1
          clusterrolebindings ClusterRoleBinding C
          clusterroles ClusterRole C
          rolebindings RoleBinding N
          roles Role N
        storage.k8s.io/v1
          csidrivers CSIDriver C
          csinodes CSINode C
          csistoragecapacities CSIStorageCapacity N
          storageclasses StorageClass C sc
          volumeattachments VolumeAttachment C - - status
          volumeattributesclasses VolumeAttributesClass C vac
        admissionregistration.k8s.io/v1
          mutatingadmissionpolicies MutatingAdmissionPolicy C - api-extensions
          mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding C - api-extensions
          mutatingwebhookconfigurations MutatingWebhookConfiguration C - api-extensions
          validatingadmissionpolicies ValidatingAdmissionPolicy C - api-extensions status
          validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding C - api-extensions
          validatingwebhookconfigurations ValidatingWebhookConfiguration C - api-extensions
        apiextensions.k8s.io/v1
          customresourcedefinitions CustomResourceDefinition C crd,crds api-extensions status
        scheduling.k8s.io/v1
          priorityclasses PriorityClass C pc
        coordination.k8s.io/v1
          leases Lease N
        node.k8s.io/v1
          runtimeclasses RuntimeClass C
        discovery.k8s.io/v1
          endpointslices EndpointSlice N
        resource.k8s.io/v1
          deviceclasses DeviceClass C
          resourceclaims ResourceClaim N - - status
          resourceclaimtemplates ResourceClaimTemplate N
          resourceslices ResourceSlice C
        flowcontrol.apiserver.k8s.io/v1
          flowschemas FlowSchema C - - status
          prioritylevelconfigurations PriorityLevelConfiguration C - - status
        """
}
