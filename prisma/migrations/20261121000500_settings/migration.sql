-- Settings of the shop that an operator changes while it runs.
SET lock_timeout = '5s';

CREATE TABLE "shop_settings" (
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "shop_settings_pkey" PRIMARY KEY ("name")
);
