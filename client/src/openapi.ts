/** Generated from docs/openapi.json by `npm run generate`. */
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        PushRequestDto: {
            /** @description In the order recorded. */
            operations?: components["schemas"]["OperationDto"][] | null;
            /** @description In the order edited. They are recorded before the operations. */
            products?: components["schemas"]["ProductEditDto"][] | null;
            /** @description In the order edited. Whether the money arrived is set by reconciling alone, not here. */
            payments?: components["schemas"]["PaymentEditDto"][] | null;
            /**
             * @description The device’s clock now.
             * @example 5
             */
            client_lamport: number;
            /**
             * Format: uuid
             * @description The pushing device: that of the token.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * Format: uuid
             * @description If given, the tenant of the token.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10
             */
            tenant_id?: string | null;
            /**
             * Format: date-time
             * @description The device’s wall clock now: shows how far it is off.
             * @example null
             */
            sent_at?: string | null;
            /**
             * @description Of the wire protocol; now 1.
             * @example 1
             */
            protocol_version?: number | null;
        };
        OperationDto: {
            /**
             * Format: uuid
             * @description Identity: under it the operation takes effect at most once. Else derived. Any UUID but version 8.
             * @example b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d01
             */
            operation_id?: string | null;
            /**
             * @description SHA-256 in hex, made by the device: the identity if there is no `operation_id`.
             * @example null
             */
            operation_hash?: string | null;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10
             */
            tenant_id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40
             */
            product_id: string;
            /**
             * Format: uuid
             * @description The pushing device.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * @example MOBILE
             * @enum {string}
             */
            device_type: "WEB" | "MOBILE" | "DESKTOP";
            /**
             * @description INCREMENT and DECREMENT move stock, SET states a count.
             * @example INCREMENT
             * @enum {string}
             */
            operation: "INCREMENT" | "DECREMENT" | "SET";
            /**
             * @description Units: at least 1, or 0 for SET.
             * @example 12
             */
            delta: number;
            /**
             * @example RESTOCK
             * @enum {string}
             */
            reason: "SALE" | "RESERVATION" | "RESTOCK" | "CANCEL" | "DAMAGE" | "COUNT" | "ADJUSTMENT";
            /**
             * @description A paid sale is recorded even beyond the stock: it happened.
             * @example null
             * @enum {string|null}
             */
            payment_status?: "PAID" | "PENDING" | "CANCELLED" | null;
            /**
             * @description Money, at most 2 decimals.
             * @example null
             */
            amount?: number | null;
            /**
             * @description Degrees north.
             * @example null
             */
            location_lat?: number | null;
            /**
             * @description Degrees east.
             * @example null
             */
            location_lng?: number | null;
            /**
             * @description The device’s own clock when it recorded this; grows with each operation.
             * @example 5
             */
            lamport_ts: number;
            /**
             * @description Last lamport of the tenant’s log that the device had applied.
             * @example 0
             */
            base_lamport?: number | null;
            /** @example null */
            version?: number | null;
            /**
             * Format: uuid
             * @description Entries of one push that share it are accepted together or not at all.
             * @example null
             */
            group_id?: string | null;
            /**
             * Format: uuid
             * @description The operation that this one confirms or cancels.
             * @example null
             */
            ref_operation_id?: string | null;
            /**
             * Format: date-time
             * @description When a reservation lapses.
             * @example null
             */
            expires_at?: string | null;
            /**
             * Format: date-time
             * @description When the device recorded this, by its own wall clock.
             * @example 2026-03-01T09:30:00.000Z
             */
            created_at?: string | null;
            /**
             * Format: uuid
             * @description The user who recorded this.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            created_by: string;
            /**
             * Format: uuid
             * @example null
             */
            updated_by?: string | null;
        };
        ProductEditDto: {
            /**
             * Format: uuid
             * @description Made by the device that creates it.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40
             */
            id: string;
            /**
             * Format: uuid
             * @description If given, the tenant of the token.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10
             */
            tenant_id?: string | null;
            /**
             * Format: uuid
             * @description If given, the pushing device.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id?: string | null;
            /**
             * @description Required of a new product.
             * @example Goat cheese, cured
             */
            name?: string | null;
            /** @example null */
            description?: string | null;
            /**
             * @description Money, at most 2 decimals.
             * @example 25000
             */
            price?: number | null;
            /**
             * @description Unique among living products.
             * @example QC-01
             */
            sku?: string | null;
            /** @example Cheese */
            category?: string | null;
            /**
             * @description Units; below this the product is due for a restock.
             * @example 5
             */
            reorder_point?: number | null;
            /**
             * @description true deletes the product: a tombstone stays.
             * @example false
             */
            is_deleted?: boolean | null;
            /**
             * @description Units that are there when the product is new: its opening balance. Ignored afterwards.
             * @example null
             */
            current_stock?: number | null;
            /**
             * @description The device’s own clock when it edited this; grows with each edit.
             * @example 3
             */
            lamport_ts: number;
            /**
             * @description The `version` that was edited. If others changed the product since, it is merged by field; without it the last write wins as a whole.
             * @example null
             */
            version?: number | null;
            /**
             * Format: uuid
             * @description Entries of one push that share it are recorded together or not at all.
             * @example null
             */
            group_id?: string | null;
            /**
             * Format: uuid
             * @description The user who edited.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            updated_by?: string | null;
        };
        PaymentEditDto: {
            /**
             * Format: uuid
             * @description Made by the device that creates it.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e50
             */
            id: string;
            /**
             * Format: uuid
             * @description If given, the tenant of the token.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10
             */
            tenant_id?: string | null;
            /**
             * Format: uuid
             * @description If given, the pushing device.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id?: string | null;
            /**
             * Format: uuid
             * @description The sale it pays. Required of a new payment.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e60
             */
            sale_id?: string | null;
            /**
             * @description Money, at most 2 decimals; negative for a refund. Required of a new payment.
             * @example 25000
             */
            amount?: number | null;
            /**
             * @description Required of a new payment.
             * @example POS_OFFLINE
             * @enum {string|null}
             */
            payment_method?: "CASH" | "POS_OFFLINE" | "TRANSFER" | null;
            /**
             * @description As the card terminal gave it. A second payment with the same is a conflict.
             * @example T-000481
             */
            pos_transaction_id?: string | null;
            /** @example null */
            pos_device_id?: string | null;
            /**
             * @description Address or key of the photo, which is kept elsewhere: no image fits in here.
             * @example null
             */
            receipt_photo?: string | null;
            /** @example null */
            notes?: string | null;
            /**
             * @description The device’s own clock when it edited this; grows with each edit.
             * @example 4
             */
            lamport_ts: number;
            /**
             * @description The `version` that was edited. If others changed the payment since, it is merged by field; without it the last write wins as a whole.
             * @example null
             */
            version?: number | null;
            /**
             * Format: uuid
             * @description Entries of one push that share it are recorded together or not at all.
             * @example null
             */
            group_id?: string | null;
            /**
             * Format: uuid
             * @description The user who edited.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            updated_by?: string | null;
        };
        PushResponseDto: {
            /** @description One for each entry: operations, then products, then payments. */
            results: components["schemas"]["PushResultDto"][];
            /**
             * @description The tenant’s clock after this push.
             * @example 43
             */
            server_lamport: number;
            /**
             * Format: uuid
             * @description Changes when the database is restored from a backup.
             * @example 6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55
             */
            epoch: string;
            /**
             * Format: date-time
             * @description The server’s wall clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            timestamp: string;
        };
        PushResultDto: {
            /**
             * @example accepted
             * @enum {string}
             */
            status: "accepted" | "duplicate" | "conflict" | "ignored" | "rejected";
            /**
             * Format: uuid
             * @description Of an operation; null if none could be read.
             * @example b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d01
             */
            operation_id?: string | null;
            /**
             * Format: uuid
             * @description Of a product or payment.
             */
            id?: string | null;
            /**
             * @description Position among all entries of the tenant; with ignored that of what stands; null if rejected.
             * @example 43
             */
            server_lamport: number | null;
            /**
             * @description Of a product or payment, as it stands now.
             * @example 3
             */
            version?: number;
            /**
             * Format: uuid
             * @description Of the entry in the conflict log that this led to.
             */
            conflict_id?: string;
            /** @description With conflict_id. */
            resolution?: components["schemas"]["ResolutionDto"];
            /**
             * @description Why it was rejected. The device keeps it, and may mend it or push it again.
             * @enum {string}
             */
            code?: "VALIDATION" | "TENANT_MISMATCH" | "DEVICE_MISMATCH" | "IDEMPOTENCY_MISMATCH" | "LAMPORT_OUT_OF_RANGE" | "PRODUCT_DELETED" | "SKU_TAKEN" | "UNKNOWN_REFERENCE" | "INSUFFICIENT_STOCK" | "QUANTITY_OUT_OF_RANGE" | "GROUP_REJECTED";
            /** @description With INSUFFICIENT_STOCK and cancellations. */
            suggestion?: components["schemas"]["SuggestionDto"];
            /** @description With VALIDATION. */
            errors?: components["schemas"]["EntryErrorDto"][];
            /**
             * @description What a person should know, though it was accepted.
             * @example []
             */
            warnings?: ("OVERSOLD" | "UNKNOWN_PRODUCT" | "STOCK_IGNORED" | "DEVICE_CLOCK_REUSED" | "CLOCK_SKEW")[];
            /** @description With duplicate: what became of it the first time. */
            original?: components["schemas"]["OriginalOutcomeDto"];
            /** @example Recorded at lamport 43. */
            message: string;
        };
        ResolutionDto: {
            /**
             * @example HARDCODED
             * @enum {string|null}
             */
            method: "HARDCODED" | "HEURISTIC" | "MANUAL" | null;
            /** @example The edit is newer than what stood. */
            reason: string;
            /**
             * @description From 0 to 1.
             * @example 1
             */
            confidence: number | null;
            /**
             * @description Whether it waits for a decision.
             * @example false
             */
            requires_approval: boolean;
            /**
             * Format: uuid
             * @description null if both stand, or it waits.
             */
            winner_id: string | null;
        };
        SuggestionDto: {
            /**
             * @description Units that could have been taken, or cancelled.
             * @example 3
             */
            available: number;
        };
        EntryErrorDto: {
            /** @example operations[3].delta */
            path: string;
            /** @example IS_INT */
            code: string;
            /** @example must be an integer from 0 to 2147483647 */
            message: string;
        };
        OriginalOutcomeDto: {
            /**
             * @example accepted
             * @enum {string}
             */
            status: "accepted" | "conflict";
            /** @example 43 */
            server_lamport: number;
            /**
             * @description Signed change to stock, in units.
             * @example 12
             */
            effect?: number;
            /** @example 12 */
            stock_after?: number;
            /**
             * @example APPLIED
             * @enum {string}
             */
            disposition?: "APPLIED" | "HELD" | "VOIDED";
            /**
             * @description Of a product or payment.
             * @example 3
             */
            version?: number;
        };
        PullRequestDto: {
            /**
             * Format: uuid
             * @description If given, the tenant of the token.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10
             */
            tenant_id?: string | null;
            /**
             * @description `next_lamport` of the pull before; 0 for a new device.
             * @example 0
             */
            last_lamport: number;
            /**
             * @description Entries at most; 100 if not given.
             * @example 100
             */
            limit?: number | null;
            /**
             * @description Of the wire protocol; now 1.
             * @example 1
             */
            protocol_version?: number | null;
        };
        PullResponseDto: {
            /** @description Events with a lamport in (last_lamport, next_lamport], in lamport order. */
            operations: components["schemas"]["StockEventDto"][];
            /** @description Changed there, as they stand now; deleted ones as tombstones. */
            products: components["schemas"]["ProductDto"][];
            /** @description Changed there, as they stand now. */
            payments: components["schemas"]["PaymentDto"][];
            /** @description Found or settled there, as they stand now. */
            conflicts: components["schemas"]["ConflictDto"][];
            /**
             * @description Where the next pull goes on.
             * @example 43
             */
            next_lamport: number;
            /**
             * @description The tenant’s clock.
             * @example 43
             */
            server_lamport: number;
            /**
             * @description Chain hash of the log at next_lamport, hex: a replica can check its copy.
             * @example 41be…
             */
            chain_hash: string;
            /**
             * @description Whether there are entries after next_lamport; exact.
             * @example false
             */
            has_more: boolean;
            /**
             * Format: uuid
             * @description Changes when the database is restored from a backup.
             * @example 6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55
             */
            epoch: string;
        };
        StockEventDto: {
            /**
             * Format: uuid
             * @example b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d01
             */
            operation_id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40
             */
            product_id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * @example MOBILE
             * @enum {string}
             */
            device_type: "WEB" | "MOBILE" | "DESKTOP" | "SERVER";
            /**
             * @example DECREMENT
             * @enum {string}
             */
            operation: "INCREMENT" | "DECREMENT" | "SET" | "RELEASE" | "VOID";
            /**
             * @description Units, as the device recorded it.
             * @example 5
             */
            delta: number;
            /**
             * @example SALE
             * @enum {string}
             */
            reason: "SALE" | "RESERVATION" | "RESTOCK" | "CANCEL" | "DAMAGE" | "COUNT" | "ADJUSTMENT";
            /**
             * @example PAID
             * @enum {string|null}
             */
            payment_status: "PAID" | "PENDING" | "CANCELLED" | null;
            /**
             * @description Money, at most 2 decimals.
             * @example 25000
             */
            amount: number | null;
            /**
             * @description Degrees north.
             * @example null
             */
            location_lat: number | null;
            /**
             * @description Degrees east.
             * @example null
             */
            location_lng: number | null;
            /**
             * @description Position in the tenant’s log.
             * @example 43
             */
            lamport_ts: number;
            /**
             * @description The device’s own clock, as pushed.
             * @example 42
             */
            client_lamport: number;
            /**
             * @description Last lamport the device had applied when it recorded this.
             * @example 40
             */
            base_lamport: number | null;
            /** @example null */
            version: number | null;
            /**
             * Format: uuid
             * @example null
             */
            group_id: string | null;
            /**
             * Format: uuid
             * @example null
             */
            ref_operation_id: string | null;
            /**
             * Format: date-time
             * @example null
             */
            expires_at: string | null;
            /**
             * Format: date-time
             * @example 2026-03-01T09:30:00.000Z
             */
            created_at: string | null;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            created_by: string;
            /**
             * Format: uuid
             * @example null
             */
            updated_by: string | null;
            /**
             * @description Signed change to stock, in units. Stock is the running sum of these.
             * @example -5
             */
            effect: number;
            /**
             * @description Stock of the product right after, in units.
             * @example 7
             */
            stock_after: number;
            /**
             * @example APPLIED
             * @enum {string}
             */
            disposition: "APPLIED" | "HELD" | "VOIDED";
            /**
             * Format: date-time
             * @description When the server recorded it.
             * @example 2026-03-01T18:04:11.218Z
             */
            synced_at: string;
            /**
             * @description SHA-256, hex, of what the device said.
             * @example 9f2c…
             */
            content_hash: string;
            /**
             * @description SHA-256, hex, of the previous event’s chain hash and this content hash.
             * @example 41be…
             */
            chain_hash: string;
        };
        ProductDto: {
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40
             */
            id: string;
            /** @example Goat cheese, cured */
            name: string;
            /** @example null */
            description: string | null;
            /**
             * @description Money, at most 2 decimals.
             * @example 25000
             */
            price: number | null;
            /**
             * @description Unique among living products.
             * @example QC-01
             */
            sku: string | null;
            /** @example Cheese */
            category: string | null;
            /**
             * @description Units; below this it is due for a restock.
             * @example 5
             */
            reorder_point: number | null;
            /**
             * @description true in a tombstone: the product was deleted.
             * @example false
             */
            is_deleted: boolean;
            /**
             * @description Counts its changes. Name it when you edit.
             * @example 3
             */
            version: number;
            /**
             * @description Position of its last change.
             * @example 43
             */
            lamport_ts: number;
            /**
             * Format: uuid
             * @description The device whose edit stands.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            updated_by: string | null;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            updated_at: string;
        };
        PaymentDto: {
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e50
             */
            id: string;
            /**
             * Format: uuid
             * @description The sale it pays.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e60
             */
            sale_id: string;
            /**
             * @description Money, at most 2 decimals; negative for a refund.
             * @example 25000
             */
            amount: number;
            /**
             * @example POS_OFFLINE
             * @enum {string}
             */
            payment_method: "CASH" | "POS_OFFLINE" | "TRANSFER";
            /**
             * @description As the card terminal gave it.
             * @example T-000481
             */
            pos_transaction_id: string | null;
            /** @example null */
            pos_device_id: string | null;
            /**
             * @description Address or key of the photo.
             * @example null
             */
            receipt_photo: string | null;
            /** @example null */
            notes: string | null;
            /**
             * @description Set by an admin’s reconciling alone: no device can set it, nor the four fields that follow.
             * @example PENDING
             * @enum {string}
             */
            reconciliation_status: "PENDING" | "CONFIRMED" | "FAILED";
            /**
             * @description Whether the money is known to have arrived.
             * @example false
             */
            reconciled: boolean;
            /**
             * @description Of whoever reconciled it.
             * @example null
             */
            reconciliation_notes: string | null;
            /**
             * Format: date-time
             * @description By the server’s clock; null while PENDING.
             * @example null
             */
            reconciled_at: string | null;
            /**
             * Format: uuid
             * @description The user who decided; null while PENDING.
             * @example null
             */
            reconciled_by: string | null;
            /**
             * @description Counts its changes. Name it when you edit.
             * @example 1
             */
            version: number;
            /**
             * @description Position of its last change.
             * @example 43
             */
            lamport_ts: number;
            /**
             * Format: uuid
             * @description The device whose edit stands.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            updated_by: string | null;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            updated_at: string;
        };
        ConflictDto: {
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e70
             */
            id: string;
            /**
             * @example FIELD_EDIT
             * @enum {string}
             */
            kind: "OVERSELL" | "STOCK_COUNT" | "DELETED_PRODUCT" | "FIELD_EDIT" | "DUPLICATE_PAYMENT" | "CONCURRENT_UPDATE" | "RESERVATION_CLOSED";
            /**
             * @description PENDING waits for a decision.
             * @example RESOLVED_AUTO
             * @enum {string}
             */
            status: "PENDING" | "RESOLVED_AUTO" | "RESOLVED_MANUAL";
            /**
             * @description Whose decision it waits for; null unless it is PENDING.
             * @example null
             * @enum {string|null}
             */
            awaits: "HEURISTIC" | "PERSON" | null;
            /**
             * @example PRODUCT
             * @enum {string}
             */
            entity: "PRODUCT" | "PAYMENT" | "STOCK";
            /**
             * Format: uuid
             * @description Of the product or payment; of STOCK, the product.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40
             */
            entity_id: string;
            /**
             * @description The fields in question, if it is about fields.
             * @example [
             *       "price"
             *     ]
             */
            fields: string[];
            /** @description What came later to the server. */
            a: components["schemas"]["ConflictSideDto"];
            /** @description What it met there. */
            b: components["schemas"]["ConflictSideDto"];
            /**
             * @description Units of the product when the conflict was found; null if it is not about units.
             * @example null
             */
            stock_then: number | null;
            /**
             * @description A or B: that side stands. BOTH, NEITHER: they do, or none does. null while it is PENDING.
             * @enum {string|null}
             */
            verdict: "A" | "B" | "BOTH" | "NEITHER" | null;
            /**
             * @description Who decided: a rule in the push, the heuristics after it, or a person; null while it is PENDING.
             * @example HARDCODED
             * @enum {string|null}
             */
            resolution_method: "HARDCODED" | "HEURISTIC" | "MANUAL" | null;
            /** @example The edit is newer than what stood. */
            resolution_reason: string | null;
            /**
             * @description From 0 to 1.
             * @example 1
             */
            confidence: number | null;
            /**
             * Format: uuid
             * @description Of the side that stands, or has precedence where both do; null if there is no such side.
             */
            winner_id: string | null;
            /**
             * Format: uuid
             * @description The user who decided; null if no person did.
             * @example null
             */
            resolved_by: string | null;
            /**
             * @description What that user said about it.
             * @example null
             */
            user_feedback: string | null;
            /** @description null if the heuristics were not asked, or knew nothing. */
            suggestion: components["schemas"]["ConflictSuggestionDto"] | null;
            /**
             * @description Position of its last change.
             * @example 44
             */
            lamport_ts: number;
            /**
             * Format: date-time
             * @example 2026-03-01T18:04:11.218Z
             */
            detected_at: string;
            /**
             * Format: date-time
             * @example 2026-03-01T18:04:11.218Z
             */
            resolved_at: string | null;
        };
        ConflictSideDto: {
            /**
             * Format: uuid
             * @description Of the operation, the edit or the payment.
             */
            id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * @description All it said: whichever side loses is not lost.
             * @example {
             *       "name": "Goat cheese, cured",
             *       "price": 25000
             *     }
             */
            payload: {
                [key: string]: unknown;
            };
        };
        ConflictSuggestionDto: {
            /**
             * @description A or B: that side stands. BOTH, NEITHER: they do, or none does.
             * @example B
             * @enum {string}
             */
            verdict: "A" | "B" | "BOTH" | "NEITHER";
            /**
             * Format: uuid
             * @description Of the side that would stand alone.
             */
            winner_id: string | null;
            /**
             * @description From 0 to 1.
             * @example 0.72
             */
            confidence: number;
            /** @example It was recorded earlier, by the clocks of both devices. */
            reason: string;
            /**
             * @description All that made them think so, the strongest first.
             * @example [
             *       "It was recorded earlier, by the clocks of both devices."
             *     ]
             */
            reasons: string[];
        };
        SnapshotHeaderDto: {
            /** @enum {string} */
            type: "header";
            /**
             * @description All lines are as they were here: go on with pull from this `last_lamport`.
             * @example 43
             */
            lamport: number;
            /**
             * Format: uuid
             * @description Changes when the database is restored from a backup.
             * @example 6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55
             */
            epoch: string;
            /**
             * @description Chain hash of the log at `lamport`, hex: what the first event of the next pull is chained to.
             * @example 41be…
             */
            chain_hash: string;
            /** @example 1 */
            protocol_version: number;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10
             */
            tenant_id: string;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            timestamp: string;
        };
        SnapshotProductDto: {
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40
             */
            id: string;
            /** @example Goat cheese, cured */
            name: string;
            /** @example null */
            description: string | null;
            /**
             * @description Money, at most 2 decimals.
             * @example 25000
             */
            price: number | null;
            /**
             * @description Unique among living products.
             * @example QC-01
             */
            sku: string | null;
            /** @example Cheese */
            category: string | null;
            /**
             * @description Units; below this it is due for a restock.
             * @example 5
             */
            reorder_point: number | null;
            /**
             * @description true in a tombstone: the product was deleted.
             * @example false
             */
            is_deleted: boolean;
            /**
             * @description Counts its changes. Name it when you edit.
             * @example 3
             */
            version: number;
            /**
             * @description Position of its last change.
             * @example 43
             */
            lamport_ts: number;
            /**
             * Format: uuid
             * @description The device whose edit stands.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            updated_by: string | null;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            updated_at: string;
            /** @enum {string} */
            type: "product";
        };
        SnapshotStockLevelDto: {
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40
             */
            product_id: string;
            /**
             * @description Units; negative when more was sold than was known to be there.
             * @example 7
             */
            quantity: number;
            /**
             * @description Whether a count or a receipt has set a baseline, so that availability is enforced.
             * @example true
             */
            tracked: boolean;
            /**
             * @description Lamport of the last event that changed it.
             * @example 43
             */
            last_lamport: number;
            /** @enum {string} */
            type: "stock_level";
        };
        SnapshotPaymentDto: {
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e50
             */
            id: string;
            /**
             * Format: uuid
             * @description The sale it pays.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e60
             */
            sale_id: string;
            /**
             * @description Money, at most 2 decimals; negative for a refund.
             * @example 25000
             */
            amount: number;
            /**
             * @example POS_OFFLINE
             * @enum {string}
             */
            payment_method: "CASH" | "POS_OFFLINE" | "TRANSFER";
            /**
             * @description As the card terminal gave it.
             * @example T-000481
             */
            pos_transaction_id: string | null;
            /** @example null */
            pos_device_id: string | null;
            /**
             * @description Address or key of the photo.
             * @example null
             */
            receipt_photo: string | null;
            /** @example null */
            notes: string | null;
            /**
             * @description Set by an admin’s reconciling alone: no device can set it, nor the four fields that follow.
             * @example PENDING
             * @enum {string}
             */
            reconciliation_status: "PENDING" | "CONFIRMED" | "FAILED";
            /**
             * @description Whether the money is known to have arrived.
             * @example false
             */
            reconciled: boolean;
            /**
             * @description Of whoever reconciled it.
             * @example null
             */
            reconciliation_notes: string | null;
            /**
             * Format: date-time
             * @description By the server’s clock; null while PENDING.
             * @example null
             */
            reconciled_at: string | null;
            /**
             * Format: uuid
             * @description The user who decided; null while PENDING.
             * @example null
             */
            reconciled_by: string | null;
            /**
             * @description Counts its changes. Name it when you edit.
             * @example 1
             */
            version: number;
            /**
             * @description Position of its last change.
             * @example 43
             */
            lamport_ts: number;
            /**
             * Format: uuid
             * @description The device whose edit stands.
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20
             */
            device_id: string;
            /**
             * Format: uuid
             * @example 0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30
             */
            updated_by: string | null;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description By the server’s clock.
             * @example 2026-03-01T18:04:11.218Z
             */
            updated_at: string;
            /** @enum {string} */
            type: "payment";
        };
        SnapshotEndDto: {
            /** @enum {string} */
            type: "end";
            /**
             * @description Lines of this type.
             * @example 120
             */
            products: number;
            /**
             * @description Lines of this type.
             * @example 131
             */
            stock_levels: number;
            /**
             * @description Lines of this type.
             * @example 4
             */
            payments: number;
        };
        LiveEventDto: {
            /**
             * @description The tenant’s clock: pull, if it is beyond your cursor.
             * @example 43
             */
            server_lamport: number;
            /**
             * Format: uuid
             * @description Changes when the database is restored from a backup.
             * @example 6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55
             */
            epoch: string;
        };
        ProblemDto: {
            /** @example urn:problem-type:agrotour:validation */
            type: string;
            /** @example The request is not valid */
            title: string;
            /** @example 400 */
            status: number;
            /**
             * @description Stable; see docs/errors.md.
             * @example VALIDATION
             */
            code: string;
            /** @description For people, about this occurrence. */
            detail?: string;
            /**
             * @description The id of the request, as in the log.
             * @example urn:uuid:5b0c…
             */
            instance: string;
            /** @description Each field that is wrong. */
            errors?: components["schemas"]["FieldErrorDto"][];
        };
        FieldErrorDto: {
            /** @example operations[3].delta */
            path: string;
            /** @example IS_INT */
            code: string;
            /** @example must be an integer */
            message: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
