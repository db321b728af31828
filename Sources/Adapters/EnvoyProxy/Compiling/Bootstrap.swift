// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What Envoy is started with: where its files are, and nothing that ever changes.
struct Bootstrap {
    let configuration: EnvoyConfiguration

    var json: JSON {
        [
            "node": ["id": "ballast", "cluster": "ballast"],
            "admin": ["address": ["pipe": ["path": .string(configuration.adminSocket), "mode": 0o600]]],
            "dynamic_resources": [
                "cds_config": EdgeListener.source("\(configuration.watchedFolder)/clusters.json", in: configuration),
                "lds_config": EdgeListener.source("\(configuration.watchedFolder)/listeners.json", in: configuration),
            ],
            // Nobody takes the counters by time, so an idle process need not wake for them.
            "stats_flush_on_admin": true,
            "watchdogs": ["main_thread_watchdog": Self.watchdog, "worker_watchdog": Self.watchdog],
            "overload_manager": [
                "resource_monitors": [
                    [
                        "name": "envoy.resource_monitors.global_downstream_max_connections",
                        "typed_config": [
                            "@type":
                                "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                            "max_active_downstream_connections": 16384,
                        ],
                    ]
                ]
            ],
        ]
    }

    private static let watchdog: JSON = ["miss_timeout": "10s", "megamiss_timeout": "30s"]
}
