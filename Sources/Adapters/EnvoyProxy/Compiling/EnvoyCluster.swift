// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One port of one Service: where its requests go.
struct EnvoyCluster {
    struct Endpoint: Hashable, Comparable {
        var address: String
        var port: Int

        static func < (left: Endpoint, right: Endpoint) -> Bool {
            (left.address, left.port) < (right.address, right.port)
        }
    }

    var name: String
    var endpoints: [Endpoint]
    var isSticky: Bool
    var speaksHTTP2: Bool

    /// Endpoints are part of the cluster: a file per cluster's endpoints would take an inotify instance each.
    var json: JSON {
        var cluster: JSON = [
            "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": .string(name), "type": "STATIC",
            "connect_timeout": "2s", "lb_policy": isSticky ? "MAGLEV" : "LEAST_REQUEST",
            // Without health checks, "unhealthy" would only ever mean a guess.
            "common_lb_config": ["healthy_panic_threshold": ["value": 0]],
            "circuit_breakers": ["thresholds": [Self.limits]],
            "load_assignment": [
                "cluster_name": .string(name), "endpoints": [["lb_endpoints": .array(endpoints.map(Self.json))]],
            ],
        ]
        if speaksHTTP2 {
            cluster["typed_extension_protocol_options"] = [
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": [
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": ["http2_protocol_options": [:]],
                ]
            ]
        }
        return cluster
    }

    /// Bounds, and far above what one machine's pods take.
    private static let limits: JSON = [
        "max_connections": 16384, "max_pending_requests": 16384, "max_requests": 16384, "max_retries": 64,
    ]

    private static func json(_ endpoint: Endpoint) -> JSON {
        ["endpoint": ["address": ["socket_address": SocketAddressJSON.make(endpoint.address, endpoint.port)]]]
    }
}

enum SocketAddressJSON {
    static func make(_ address: String, _ port: Int) -> JSON {
        ["address": .string(address), "port_value": JSON(port)]
    }
}

/// A Service's address and port: bytes are passed on as they are.
struct ServiceListener {
    var name: String
    var address: String
    var port: Int
    var cluster: String
    var isSticky: Bool

    var json: JSON {
        var proxy: JSON = [
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "service", "cluster": .string(cluster),
            // A pod that just went is passed over.
            "max_connect_attempts": 3,
            // Idle connections are the business of those who hold them, as under kube-proxy.
            "idle_timeout": "0s",
        ]
        if isSticky { proxy["hash_policy"] = [["source_ip": [:]]] }
        return [
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": .string(name),
            "address": ["socket_address": SocketAddressJSON.make(address, port)], "drain_type": "MODIFY_ONLY",
            // The addresses become this machine's own when the pods' network starts, which may be later.
            "freebind": true,
            "per_connection_buffer_limit_bytes": 65536,
            "filter_chains": [["filters": [["name": "envoy.filters.network.tcp_proxy", "typed_config": proxy]]]],
        ]
    }
}
