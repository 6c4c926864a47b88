-- What the nightly comparison with each provider's own list found.
SET lock_timeout = '5s';

CREATE TABLE "payment_differences" (
    "id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "provider_payment_id" TEXT NOT NULL,
    "payment_id" TEXT,
    "user_id" TEXT,
    "their_micros" BIGINT,
    "our_micros" BIGINT,
    "currency" TEXT NOT NULL,
    "is_test" BOOLEAN NOT NULL DEFAULT false,
    "state" TEXT NOT NULL DEFAULT 'open',
    "found_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "ended_by" TEXT,
    "note" TEXT,

    CONSTRAINT "payment_differences_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "payment_differences_one_open" ON "payment_differences"("provider", "provider_payment_id", "kind") WHERE (state = 'open');
CREATE INDEX "payment_differences_state_found_at_idx" ON "payment_differences"("state", "found_at");
CREATE INDEX "payment_differences_payment_id_idx" ON "payment_differences"("payment_id");
ALTER TABLE "payment_differences"
  ADD CONSTRAINT state_is_known CHECK (state IN ('open', 'mended', 'dismissed')),
  ADD CONSTRAINT ended_has_a_time CHECK ((state <> 'open') = (ended_at IS NOT NULL)),
  ADD CONSTRAINT sides_fit_the_kind CHECK (CASE kind
    WHEN 'theirs_only' THEN their_micros IS NOT NULL AND our_micros IS NULL
    WHEN 'ours_only' THEN their_micros IS NULL AND our_micros IS NOT NULL AND payment_id IS NOT NULL
    WHEN 'other_amount' THEN their_micros IS NOT NULL AND our_micros IS NOT NULL AND payment_id IS NOT NULL
    ELSE false END);

CREATE TABLE "payment_comparisons" (
    "id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "from_at" TIMESTAMPTZ(3) NOT NULL,
    "to_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "compared" INTEGER NOT NULL DEFAULT 0,
    "differences" INTEGER NOT NULL DEFAULT 0,
    "their_micros" BIGINT NOT NULL DEFAULT 0,
    "our_micros" BIGINT NOT NULL DEFAULT 0,
    "currency" TEXT NOT NULL,
    "failure" TEXT,

    CONSTRAINT "payment_comparisons_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "payment_comparisons_provider_started_at_idx" ON "payment_comparisons"("provider", "started_at");
ALTER TABLE "payment_comparisons" ADD CONSTRAINT method_is_known CHECK (method IN ('list', 'asked'));
