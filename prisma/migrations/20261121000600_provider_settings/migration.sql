-- Ways to pay that an operator sets up in the admin: settings in clear, secrets sealed under a key from the environment.
SET lock_timeout = '5s';

CREATE TABLE "payment_providers" (
    "name" TEXT NOT NULL,
    "is_enabled" BOOLEAN NOT NULL DEFAULT false,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "sealed" JSONB NOT NULL DEFAULT '{}',
    "hints" JSONB NOT NULL DEFAULT '{}',
    "min_micros" BIGINT,
    "max_micros" BIGINT,
    "tolerance_basis_points" INTEGER NOT NULL DEFAULT 0,
    "charge_currency" TEXT,
    "charge_rate" TEXT,
    "tested_at" TIMESTAMPTZ(3),
    "test_result" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payment_providers_pkey" PRIMARY KEY ("name"),
    CONSTRAINT "payment_providers_name_form" CHECK ("name" ~ '^[a-z0-9_]{1,32}$'),
    CONSTRAINT "payment_providers_limits_order" CHECK ("min_micros" > 0 AND "max_micros" > 0 AND "min_micros" <= "max_micros"),
    CONSTRAINT "payment_providers_tolerance_range" CHECK ("tolerance_basis_points" BETWEEN 0 AND 1000),
    CONSTRAINT "payment_providers_charge_whole" CHECK (("charge_currency" IS NULL) = ("charge_rate" IS NULL)),
    CONSTRAINT "payment_providers_charge_form" CHECK ("charge_currency" ~ '^[A-Z]{3}$' AND "charge_rate" ~ '^\d{1,9}(\.\d{1,9})?$'),
    CONSTRAINT "payment_providers_test_whole" CHECK (("tested_at" IS NULL) = ("test_result" IS NULL))
);

-- When a provider was last heard from, without reading its whole inbox.
CREATE INDEX "webhook_messages_provider_received_at_idx" ON "webhook_messages"("provider", "received_at");
