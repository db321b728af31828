// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The shape of `ballast.yaml`: the one table behind its errors, its JSON Schema and its CustomResourceDefinition.
package enum AppShape {
    package static let file: Shape = .object(
        Shape.Object([
            Field(
                "apiVersion",
                .text(Text("'ballast.dev/v1alpha1'", choices: ["ballast.dev/v1alpha1"])),
                required: true,
                "the version of this format"
            ),
            Field("kind", .text(Text("'App'", choices: ["App"])), required: true, "always App"),
            Field("metadata", metadata, required: true, "the app's name and namespace"),
            Field("spec", spec, required: true, "the app"),
        ])
    )

    typealias Field = Shape.Field
    typealias Text = Shape.Text

    static let label = Text(
        "a DNS label (lower-case letters, digits and '-', at most 63)",
        pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        check: { KubernetesNames.isLabel($0) }
    )
    static let subdomain = Text(
        "a DNS name",
        pattern: "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        check: { KubernetesNames.isSubdomain($0) }
    )
    static let duration = Text(
        "a duration like 300ms, 60s, 2m or 1h30m",
        pattern: "^([0-9]+(ms|s|m|h|d))+$",
        check: { DurationText.parse($0) != nil }
    )
    static let absolutePath = Text("an absolute path", pattern: "^/", check: { $0.hasPrefix("/") })
    static let relativePattern = Text(
        "a path below this folder, where * and ** stand for anything",
        pattern: "^[^/]",
        check: { !$0.isEmpty && !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..") }
    )
    static let variable = Text(
        "the name of an environment variable",
        pattern: "^[-._a-zA-Z][-._a-zA-Z0-9]*$",
        check: { KubernetesNames.isVariable($0) }
    )

    static func objective(_ kind: App.Objective.Kind, _ example: String) -> Text {
        Text("an upper bound like '\(example)'", pattern: "^<=? *[0-9.]+", check: { App.Objective(kind, $0) != nil })
    }

    static let metadata: Shape = .object(
        Shape.Object([
            Field("name", .text(label), required: true, "the app's name"),
            Field("namespace", .text(label), "the namespace it runs in (default: default)"),
            Field("labels", .map(.text()), "labels of the App object"),
            Field("annotations", .map(.text()), "annotations of the App object"),
        ])
    )

    package static let spec: Shape = .object(
        Shape.Object([
            Field("owner", .text(), "the team to ask"),
            Field("test", .list(testStep), "stage 1: commands that must succeed"),
            Field("image", image, required: true, "stage 2: what is built, and where it is pushed"),
            Field("deploy", deploy, required: true, "stage 3: where and how it runs"),
            Field("metrics", metrics, "where it answers Prometheus, and its objectives"),
            Field("alerts", .list(alert), "rules that wake somebody"),
            Field("logs", logs, "how its log lines look, and how long they are kept"),
            Field("docs", .text(), "the folder of its runbooks"),
            Field("routes", .list(route), "north-south: what the edge sends here"),
            Field("access", .list(access), "east-west: who may call; nobody else may"),
        ])
    )

    static let testStep: Shape = .object(
        Shape.Object([
            Field("name", .text(label), required: true, "the step's name"),
            Field("run", .text(), required: true, "a shell command; runs in the folder of this file"),
            Field("image", .text(), "runs the step as a Job from this image instead of on this machine"),
            Field("timeout", .text(duration), "how long the step may take (default: 10m)"),
            Field("parallel", .boolean, "runs at the same time as the steps before and after it that say so too"),
            Field(
                "junit",
                .either([.text(relativePattern), .list(.text(relativePattern), atLeast: 1)]),
                "the JUnit files it writes, such as build/reports/**/*.xml; their counts go on record"
            ),
        ])
    )

    static let image: Shape = .object(
        Shape.Object([
            Field(
                "repository",
                .text(
                    Text(
                        "an image repository without tag",
                        check: { ImageReference($0)?.tag == nil && ImageReference($0) != nil }
                    )
                ),
                "registry and name, such as registry.internal/shop/cart (default: the embedded registry)"
            ),
            Field("pullHost", .text(), "the host nodes pull from, where it differs"),
            Field(
                "credentials",
                .object(
                    Shape.Object([
                        Field(
                            "secretRef",
                            .text(subdomain),
                            required: true,
                            "a Secret of type kubernetes.io/dockerconfigjson or with username and password"
                        )
                    ])
                ),
                "how to log in at the registry"
            ),
            Field("build", build, "how the image is made"),
            Field(
                "use",
                .text(Text("an image", check: { ImageReference($0) != nil })),
                "an image that exists already, deployed as it is instead of building one"
            ),
        ])
    )

    static let build: Shape = .object(
        Shape.Object(
            [
                Field("run", .text(), "a shell command that makes the files"),
                Field("from", .text(), "the base image, or scratch"),
                Field(
                    "files",
                    .list(
                        .object(
                            Shape.Object([
                                Field("from", .text(), required: true, "a file or folder, relative to this file"),
                                Field("to", .text(absolutePath), required: true, "where it lands in the image"),
                                Field("libraries", .boolean, "bring the shared libraries it needs along"),
                            ])
                        ),
                        atLeast: 1
                    ),
                    "what goes into the image"
                ),
                Field("entrypoint", .list(.text()), "the program and its first arguments"),
                Field("command", .list(.text()), "further arguments"),
                Field("env", .map(.scalar, keys: variable), "environment variables in the image"),
                Field("workingDirectory", .text(absolutePath), "where the program starts"),
                Field("user", .text(), "the user it runs as"),
                Field("timeout", .text(duration), "how long the build may take (default: 30m)"),
                Field("containerfile", .text(), "a Containerfile to build by buildah instead"),
            ],
            exactlyOne: ["files", "containerfile"]
        )
    )

    static let reference: Shape = .either([
        .scalar,
        .object(
            Shape.Object(
                [
                    Field("secretRef", .text(subdomain), "a Secret's name"),
                    Field("configRef", .text(subdomain), "a ConfigMap's name"),
                    Field("key", .text(), required: true, "the key in it"),
                    Field("optional", .boolean, "start even where it is missing"),
                ],
                exactlyOne: ["secretRef", "configRef"]
            )
        ),
    ])

    static let resources: Shape = .object(
        Shape.Object([
            Field("requests", .map(.quantity), "what is set aside"),
            Field("limits", .map(.quantity), "what is not exceeded"),
        ])
    )

    static let probe: Shape = .object(
        Shape.Object(
            [
                Field("http", .text(absolutePath), "a path that answers 2xx or 3xx"),
                Field("tcp", .boolean, "the port accepts connections"),
                Field("exec", .list(.text(), atLeast: 1), "a program that ends with 0"),
                Field("port", .text(), "the port's name (default: the first)"),
                Field("initialDelay", .text(duration), "before the first try"),
                Field("period", .text(duration), "between tries"), Field("timeout", .text(duration), "of one try"),
                Field("failureThreshold", .integer(1...1000), "failures in a row that count"),
                Field("successThreshold", .integer(1...1000), "successes in a row that count"),
            ],
            exactlyOne: ["http", "tcp", "exec"]
        )
    )

    static let deployFields: [Field] = [
        Field("replicas", .integer(0...10000), "how many pods (default: 1)"),
        Field("container", .text(label), "the container's name in the pods (default: the app's)"),
        Field(
            "ports",
            .list(
                .object(
                    Shape.Object([
                        Field(
                            "name",
                            .text(
                                Text(
                                    "a port name (letters, digits, '-', at most 15)",
                                    check: { KubernetesNames.isPortName($0) }
                                )
                            ),
                            required: true,
                            "the port's name"
                        ),
                        Field("port", .integer(1...65535), required: true, "its number"),
                        Field("servicePort", .integer(1...65535), "its number on the Service (default: the same)"),
                    ])
                )
            ),
            "what it listens on"
        ),
        Field(
            "env",
            .map(reference, keys: variable),
            "environment variables; numbers and true or false count as the text they are written as"
        ),
        Field(
            "files",
            .list(
                .object(
                    Shape.Object(
                        [
                            Field("mountPath", .text(absolutePath), required: true, "the folder"),
                            Field("configRef", .text(subdomain), "a ConfigMap's name"),
                            Field("secretRef", .text(subdomain), "a Secret's name"),
                        ],
                        exactlyOne: ["configRef", "secretRef"]
                    )
                )
            ),
            "files from ConfigMaps and Secrets"
        ),
        Field(
            "before",
            .list(
                .object(
                    Shape.Object([
                        Field("name", .text(label), required: true, "the job's name"),
                        Field(
                            "run",
                            .list(.text(), atLeast: 1),
                            required: true,
                            "program and arguments, from the new image"
                        ),
                    ])
                )
            ),
            "jobs that must succeed before pods change"
        ),
        Field(
            "manifests",
            .list(.text()),
            "files and folders of further Kubernetes objects, or of what is laid over the app's own"
        ),
        Field("resources", resources, "requests and limits"),
        Field(
            "probes",
            .object(
                Shape.Object([
                    Field("readiness", probe, "whether it gets traffic"),
                    Field("liveness", probe, "whether it is restarted"),
                    Field("startup", probe, "whether it has started"),
                ])
            ),
            "how its health is asked"
        ),
        Field(
            "volumes",
            .list(
                .object(
                    Shape.Object([
                        Field("name", .text(label), required: true, "the volume's name"),
                        Field("mountPath", .text(absolutePath), required: true, "where it is mounted"),
                        Field("size", .quantity, required: true, "how big"),
                        Field("storageClass", .text(subdomain), "its storage class (default: the cluster's)"),
                    ])
                )
            ),
            "storage that outlives the pods"
        ),
        Field(
            "verify",
            .object(
                Shape.Object([
                    Field("for", .text(duration), required: true, "how long after readiness"),
                    Field("restarts", .integer(0...1000), "how often containers of new pods may end (default: 0)"),
                    Field("errorRate", .text(objective(.errorRate, "< 1%")), "such as < 1%"),
                    Field("p99", .text(objective(.p99, "< 300ms")), "such as < 300ms"),
                    Field("logErrors", .text(objective(.logErrors, "< 5/min")), "such as < 5/min"),
                ])
            ),
            "what must hold after the pods are ready; else the release is undone"
        ),
        Field(
            "canary",
            .list(
                .object(
                    Shape.Object([
                        Field("percent", .integer(1...99), required: true, "the new revision's share of the pods"),
                        Field("for", .text(duration), required: true, "how long it must hold"),
                    ])
                ),
                atLeast: 1
            ),
            "steps in which the new revision gets its share before it replaces the old one"
        ),
        Field("strategy", .text(Text("a strategy", choices: ["RollingUpdate", "Recreate"])), "how pods are replaced"),
        Field("terminationGracePeriod", .text(duration), "how long a pod may take to stop (default: 30s)"),
        Field("deadline", .text(duration), "how long the pods may take to be ready (default: 5m)"),
    ]

    static let deploy: Shape = .object(
        Shape.Object(
            [
                Field(
                    "clusters",
                    .either([
                        .list(.text(subdomain), atLeast: 1), .list(.list(.text(subdomain), atLeast: 1), atLeast: 1),
                    ]),
                    "the clusters, or a list of waves (default: [local])"
                ),
                Field("bake", .text(duration), "how long a wave must hold before the next begins (default: 0s)"),
                Field(
                    "unreachable",
                    .text(Text("a policy", choices: App.UnreachablePolicy.allCases.map(\.rawValue))),
                    "what to do about a cluster that does not answer (default: fail)"
                ),
                Field("overrides", .map(.object(Shape.Object(deployFields))), "per cluster"),
            ] + deployFields
        )
    )

    static let metrics: Shape = .object(
        Shape.Object([
            Field("port", .text(), required: true, "the port's name"),
            Field("path", .text(absolutePath), "default: /metrics"),
            Field(
                "slo",
                .object(
                    Shape.Object([
                        Field("availability", .text(), "such as 99.9%"),
                        Field("latency", .map(.text(duration)), "such as p99: 300ms"),
                    ])
                ),
                "service level objectives"
            ),
        ])
    )

    static let alert: Shape = .object(
        Shape.Object([
            Field("name", .text(), required: true, "the alert's name"),
            Field("expr", .text(), required: true, "PromQL"),
            Field("for", .text(duration), "how long it must hold"), Field("severity", .text(), "such as page"),
            Field("runbook", .text(), "document and section"), Field("labels", .map(.text()), "more labels"),
            Field("annotations", .map(.text()), "more annotations"),
        ])
    )

    static let logs: Shape = .object(
        Shape.Object([
            Field("format", .text(Text("a format", choices: ["json", "text", "logfmt"])), "of each line"),
            Field("retention", .text(duration), "how long lines are kept"),
        ])
    )

    static let route: Shape = .object(
        Shape.Object([
            Field("hosts", .list(.text(), atLeast: 1), required: true, "host names"),
            Field("paths", .list(.text(absolutePath)), "path prefixes (default: /)"),
            Field("methods", .list(.text()), "HTTP methods (default: all)"),
            Field("port", .text(), "the port's name (default: the first)"),
            Field("auth", .text(), "none, or a kind of authentication"), Field("rateLimit", .text(), "such as 100/s"),
            Field("timeout", .text(duration), "of a request"),
            Field("retries", .integer(0...100), "of a failed request"),
        ])
    )

    static let access: Shape = .object(
        Shape.Object([
            Field("from", .text(), required: true, "the app that may call"),
            Field("methods", .list(.text()), "HTTP methods"),
            Field("paths", .list(.text()), "paths; * matches the rest"),
        ])
    )
}
