// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Autoscalers of every version; version 1 keeps its conditions as text in an annotation.
enum AutoscalerHealth {
    private static let annotation = "autoscaling.alpha.kubernetes.io/conditions"
    private static let bad: Set<String> = [
        "FailedGetScale", "FailedUpdateScale", "FailedGetResourceMetric", "FailedGetContainerResourceMetric",
        "FailedGetPodsMetric", "FailedGetObjectMetric", "FailedGetExternalMetric", "FailedComputeMetricsReplicas",
        "InvalidSelector", "InvalidMetricSourceType", "AmbiguousSelector",
    ]

    /// Optional where it is not as it should be: new pods have no figures yet, and they serve without.
    static func of(_ autoscaler: KubeObject) -> Health {
        let conditions = autoscaler.conditions + annotated(autoscaler)
        if let condition = conditions.first(where: { bad.contains($0.reason) }) {
            return Health(.failed, condition.reason, condition.words, isOptional: true)
        }
        if let condition = conditions.first(where: { ["AbleToScale", "ScalingLimited"].contains($0.type) && $0.isTrue })
        {
            return .current(condition.words, condition.reason(or: "AbleToScale"))
        }
        return Health(.inProgress, "NotScalingYet", "it has not looked at its pods yet", isOptional: true)
    }

    private static func annotated(_ autoscaler: KubeObject) -> [Condition] {
        guard let text = autoscaler.annotations[annotation], let list = try? JSON(parsing: text) else { return [] }
        return list.array?.compactMap { Condition($0) } ?? []
    }
}
