-- Prices that follow a plan: changes for a moment to come, rules that make them from costs, and the costs.
SET lock_timeout = '5s';

-- The shop's price step when the revision was saved. Null: totals are exact.
ALTER TABLE "plans" ADD COLUMN "total_step_micros" BIGINT,
  ADD CONSTRAINT total_step_makes_sense CHECK (total_step_micros > 0);

CREATE TABLE "price_changes" (
    "id" TEXT NOT NULL,
    "plan_id" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "prices" JSONB NOT NULL,
    "before" JSONB,
    "why" JSONB,
    "state" TEXT NOT NULL DEFAULT 'scheduled',
    "refusal" TEXT,
    "revision" INTEGER,
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_by" TEXT,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "price_changes_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "price_changes_words" CHECK (cause IN ('staff', 'rule') AND state IN ('scheduled', 'applied', 'withdrawn', 'refused')),
    CONSTRAINT "price_changes_end" CHECK ((state = 'scheduled') = (ended_at IS NULL)),
    CONSTRAINT "price_changes_applied" CHECK ((state = 'applied') = (revision IS NOT NULL) AND (state = 'applied') = (before IS NOT NULL)),
    CONSTRAINT "price_changes_refused" CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CONSTRAINT "price_changes_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
-- Two changes for one moment would leave it to chance which holds.
CREATE UNIQUE INDEX "one_price_change_per_moment" ON "price_changes"("plan_id", "at") WHERE (state = 'scheduled'::text);
CREATE INDEX "price_changes_due" ON "price_changes"("at") WHERE (state = 'scheduled'::text);
CREATE INDEX "price_changes_plan_id_id_idx" ON "price_changes"("plan_id", "id");

CREATE TABLE "price_rules" (
    "plan_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "is_active" BOOLEAN NOT NULL,
    "rule" JSONB NOT NULL,
    "outcome" TEXT,
    "facts" JSONB NOT NULL DEFAULT '{}',
    "computed_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "price_rules_pkey" PRIMARY KEY ("plan_id"),
    CONSTRAINT "price_rules_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE TABLE "offer_costs" (
    "offer_id" TEXT NOT NULL,
    "days" INTEGER NOT NULL,
    "cost_micros" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "offer_costs_pkey" PRIMARY KEY ("offer_id", "days"),
    CONSTRAINT "offer_costs_make_sense" CHECK (days > 0 AND cost_micros >= 0 AND currency ~ '^[A-Z]{3}$' AND source IN ('quote', 'staff')),
    CONSTRAINT "offer_costs_offer_id_fkey" FOREIGN KEY ("offer_id") REFERENCES "offers"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
