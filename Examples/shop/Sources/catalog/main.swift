// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ShopKit

Program.main("catalog") { service in
    try await service.run(Catalog.standard.routes)
}
