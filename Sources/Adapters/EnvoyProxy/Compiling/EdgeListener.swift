// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Where the world's requests come in.
///
/// Its routes are a file of their own, so that an edited Ingress never touches the listener.
struct EdgeListener {
    private let configuration: EnvoyConfiguration

    init(_ configuration: EnvoyConfiguration) { self.configuration = configuration }

    var json: JSON {
        [
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "edge",
            "address": ["socket_address": SocketAddressJSON.make(configuration.edgeAddress, configuration.edgePort)],
            "drain_type": "MODIFY_ONLY", "per_connection_buffer_limit_bytes": 65536,
            "filter_chains": [
                ["filters": [["name": "envoy.filters.network.http_connection_manager", "typed_config": manager]]]
            ],
        ]
    }

    private var manager: JSON {
        [
            "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "edge", "codec_type": "AUTO",
            "rds": [
                "route_config_name": "edge",
                "config_source": Self.source("\(configuration.watchedFolder)/routes.json", in: configuration),
            ],
            // The client's address and scheme are what this listener saw, whatever the request claims.
            // (Envoy itself would put this machine's own address in place of a loopback client's; the routes set it.)
            "use_remote_address": true, "skip_xff_append": true, "server_header_transformation": "PASS_THROUGH",
            "normalize_path": true,
            // Old clients and load testers speak HTTP/1.0, some without a Host.
            "http_protocol_options": ["accept_http_10": true, "default_host_for_http_10": "localhost"],
            // What these headers say to Envoy is for us to say.
            "early_header_mutation_extensions": [Self.withoutForgeries],
            "request_headers_timeout": "10s", "stream_idle_timeout": "300s",
            "common_http_protocol_options": ["idle_timeout": "900s"],
            "upgrade_configs": [["upgrade_type": "websocket"]],
            "local_reply_config": Self.replies, "access_log": [accessLog],
            "http_filters": [
                [
                    "name": "envoy.filters.http.router",
                    "typed_config": [
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                        "suppress_envoy_headers": true,
                    ],
                ]
            ],
        ]
    }

    private static let withoutForgeries: JSON = [
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": [
            "@type":
                "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": [["remove_on_match": ["key_matcher": ["prefix": "x-envoy-", "ignore_case": true]]]],
        ],
    ]

    static func source(_ path: String, in configuration: EnvoyConfiguration) -> JSON {
        [
            "resource_api_version": "V3",
            "path_config_source": [
                "path": .string(path), "watched_directory": ["path": .string(configuration.watchedFolder)],
            ],
        ]
    }

    /// What a caller reads where no pod answered.
    private static let replies: JSON = [
        "mappers": [
            reply(["NR"], "no Ingress has a rule for %REQ(:AUTHORITY)%%REQ(:PATH)%"),
            reply(["UH", "NC"], "no pod is ready to answer for %REQ(:AUTHORITY)%%REQ(:PATH)%"),
            reply(["UF", "URX"], "the pods that answer for %REQ(:AUTHORITY)%%REQ(:PATH)% cannot be reached"),
            reply(["UC", "UR", "UPE"], "the pod that answers for %REQ(:AUTHORITY)%%REQ(:PATH)% broke off"),
            reply(["SI", "UT"], "the pod that answers for %REQ(:AUTHORITY)%%REQ(:PATH)% took too long"),
        ]
    ]

    private static func reply(_ flags: [String], _ words: String) -> JSON {
        [
            "filter": ["response_flag_filter": ["flags": .array(flags.map { .string($0) })]],
            "body_format_override": [
                "text_format_source": ["inline_string": .string("%RESPONSE_CODE% \(words)\n")],
                "content_type": "text/plain; charset=utf-8",
            ],
        ]
    }

    private var accessLog: JSON {
        let fields: [(String, String)] = [
            ("time", "%START_TIME(%Y-%m-%dT%H:%M:%E3SZ)%"), ("method", "%REQ(:METHOD)%"), ("host", "%REQ(:AUTHORITY)%"),
            ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"), ("protocol", "%PROTOCOL%"), ("status", "%RESPONSE_CODE%"),
            ("flags", "%RESPONSE_FLAGS%"), ("received", "%BYTES_RECEIVED%"), ("sent", "%BYTES_SENT%"),
            ("milliseconds", "%DURATION%"), ("service", "%UPSTREAM_CLUSTER%"), ("upstream", "%UPSTREAM_HOST%"),
            ("attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"), ("client", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            ("userAgent", "%REQ(USER-AGENT)%"), ("requestId", "%REQ(X-REQUEST-ID)%"),
        ]
        return [
            "name": "envoy.access_loggers.file",
            "typed_config": [
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": .string(configuration.accessLogPath),
                "log_format": ["json_format": .object(JSONObject(fields.map { ($0, .string($1)) }))],
            ],
        ]
    }
}
