-- What customers keep about the proxies they hold: labels, notes, tags, saved views, selections.
SET lock_timeout = '5s';

CREATE TABLE "proxy_marks" (
    "user_id" TEXT NOT NULL,
    "allocation_id" TEXT NOT NULL,
    "label" TEXT NOT NULL DEFAULT '',
    "note" TEXT NOT NULL DEFAULT '',
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "proxy_marks_pkey" PRIMARY KEY ("user_id","allocation_id")
);
ALTER TABLE "proxy_marks" ADD CONSTRAINT is_short CHECK (length(label) <= 60 AND length(note) <= 500 AND cardinality(tags) <= 50);

CREATE TABLE "proxy_views" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "query" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "proxy_views_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "proxy_views_user_id_name_key" ON "proxy_views"("user_id", "name");

CREATE TABLE "proxy_selections" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "allocation_ids" TEXT[],
    "made_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "proxy_selections_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "proxy_selections_user_id_made_at_idx" ON "proxy_selections"("user_id", "made_at");
CREATE INDEX "proxy_selections_made_at_idx" ON "proxy_selections"("made_at");
ALTER TABLE "proxy_selections" ADD CONSTRAINT has_some CHECK (cardinality(allocation_ids) BETWEEN 1 AND 10000);

CREATE TABLE "proxy_selection_results" (
    "selection_id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "is_done" BOOLEAN NOT NULL,
    "facts" JSONB NOT NULL DEFAULT '{}',
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "proxy_selection_results_pkey" PRIMARY KEY ("selection_id","action","order_id"),
    CONSTRAINT "proxy_selection_results_selection_id_fkey" FOREIGN KEY ("selection_id") REFERENCES "proxy_selections"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- The table of a customer's proxies goes through this one index, whatever else it filters or sorts by: the rows it reads are that customer's. One, because a
-- renewal moves expires_at and every further index would be written again with it.
CREATE INDEX "allocations_user_id_expires_at_id_idx" ON "allocations"("user_id", "expires_at", "id");
DROP INDEX "allocations_user_id_expires_at_idx";

-- What was noted about a proxy follows it to the one that takes its place. On the record of the exchange, so that it holds whoever writes that.
CREATE FUNCTION marks_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO proxy_marks (user_id, allocation_id, label, note, tags)
  SELECT m.user_id, NEW.new_allocation_id, m.label, m.note, m.tags FROM proxy_marks m
  WHERE m.user_id = NEW.user_id AND m.allocation_id = NEW.old_allocation_id
  ON CONFLICT (user_id, allocation_id) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER marks_follow AFTER INSERT OR UPDATE OF new_allocation_id ON replacements
  FOR EACH ROW WHEN (NEW.new_allocation_id IS NOT NULL) EXECUTE FUNCTION marks_follow();
