-- Checks of proxies: each of them, how each proxy stands, who asked for which, and what it says about products.
SET lock_timeout = '5s';

CREATE TABLE "proxy_checks" (
    "id" TEXT NOT NULL,
    "allocation_id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "ok" BOOLEAN NOT NULL,
    "failure" TEXT,
    "exit_address" TEXT,
    "country_code" TEXT,
    "latency_ms" INTEGER,

    CONSTRAINT "proxy_checks_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "proxy_checks_allocation_id_at_idx" ON "proxy_checks"("allocation_id", "at");
CREATE INDEX "proxy_checks_that_get_old" ON "proxy_checks"("id") WHERE (kind <> 'handover'::text);
ALTER TABLE "proxy_checks"
  ADD CONSTRAINT kind_is_known CHECK (kind IN ('handover', 'schedule', 'demand')),
  ADD CONSTRAINT passed_or_failed CHECK (CASE WHEN ok THEN failure IS NULL AND exit_address IS NOT NULL AND latency_ms IS NOT NULL
    ELSE failure IS NOT NULL AND exit_address IS NULL AND country_code IS NULL AND latency_ms IS NULL END);

CREATE TABLE "proxy_health" (
    "allocation_id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "handover_tries" INTEGER NOT NULL DEFAULT 0,
    "handover_check_id" TEXT,
    "handover_at" TIMESTAMPTZ(3),
    "handover_ok" BOOLEAN,
    "last_check_id" TEXT,
    "last_at" TIMESTAMPTZ(3),
    "last_ok" BOOLEAN,
    "failing_since" TIMESTAMPTZ(3),
    "next_check_at" TIMESTAMPTZ(3),
    "claimed_until" TIMESTAMPTZ(3),

    CONSTRAINT "proxy_health_pkey" PRIMARY KEY ("allocation_id")
);
CREATE INDEX "proxy_health_order_id_idx" ON "proxy_health"("order_id");
CREATE INDEX "proxy_health_next_check_at_idx" ON "proxy_health"("next_check_at") WHERE (next_check_at IS NOT NULL);
ALTER TABLE "proxy_health" ADD CONSTRAINT failing_when_it_failed CHECK ((last_ok IS FALSE) = (failing_since IS NOT NULL));

CREATE TABLE "check_runs" (
    "id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "allocation_id" TEXT,
    "requested_by" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "check_runs_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "one_open_check_run_per_order" ON "check_runs"("order_id") WHERE (ended_at IS NULL);
CREATE INDEX "check_runs_order_id_requested_at_idx" ON "check_runs"("order_id", "requested_at");
CREATE INDEX "check_runs_open_by_user" ON "check_runs"("user_id") WHERE (ended_at IS NULL);

CREATE TABLE "product_quality" (
    "product_id" TEXT NOT NULL,
    "country_code" TEXT NOT NULL,
    "checks" INTEGER NOT NULL,
    "passed" INTEGER NOT NULL,
    "median_latency_ms" INTEGER,
    "computed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_quality_pkey" PRIMARY KEY ("product_id","country_code")
);
