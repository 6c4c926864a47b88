-- What a supplier gave after its customer had something else for it waits for a person, until one has said what became of it.
SET lock_timeout = '5s';

ALTER TABLE "replacements" ADD COLUMN "late_settled_at" TIMESTAMPTZ(3);
CREATE INDEX "replacements_late" ON "replacements"("id") WHERE late_place IS NOT NULL AND late_settled_at IS NULL;
