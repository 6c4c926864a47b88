-- Changes of login data and bound addresses at suppliers: each asked for once, with what came of it.
SET lock_timeout = '5s';

ALTER TABLE allocations ADD COLUMN bound_addresses text[] NOT NULL DEFAULT '{}';
CREATE INDEX "allocations_bound" ON "allocations" USING gin ("bound_addresses") WHERE state = ANY (ARRAY['active'::text, 'in_grace'::text]);

CREATE TABLE "access_changes" (
    "id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "allocation_ids" TEXT[],
    "addresses" TEXT[],
    "state" TEXT NOT NULL,
    "changed" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "access_changes_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "access_changes_order_id_key_key" ON "access_changes"("order_id", "key");
CREATE UNIQUE INDEX "one_open_access_change_per_order" ON "access_changes"("order_id") WHERE state = 'calling';
ALTER TABLE "access_changes" ADD CONSTRAINT "access_changes_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE access_changes
  ADD CONSTRAINT state_is_known CHECK (state IN ('calling', 'done', 'unknown', 'refused')),
  ADD CONSTRAINT kind_is_known CHECK (kind IN ('rotate', 'bind')),
  ADD CONSTRAINT ended_has_a_time CHECK ((state = 'calling') = (ended_at IS NULL));
