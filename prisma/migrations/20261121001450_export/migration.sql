-- What customers keep for taking their proxies elsewhere: templates, and the addresses that programs ask.
SET lock_timeout = '5s';

CREATE TABLE "export_templates" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "export_templates_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "export_templates_user_id_name_key" ON "export_templates"("user_id", "name");
ALTER TABLE "export_templates" ADD CONSTRAINT kind_is_known CHECK (kind IN ('line', 'url', 'json', 'csv', 'shell')),
  ADD CONSTRAINT text_is_short CHECK (length(text) BETWEEN 1 AND 500);

CREATE TABLE "feeds" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "token_digest" TEXT NOT NULL,
    "filter" JSONB NOT NULL DEFAULT '{}',
    "format" TEXT,
    "template_id" TEXT,
    "last_used_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "feeds_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "feeds_token_digest_key" ON "feeds"("token_digest");
CREATE INDEX "feeds_in_use" ON "feeds"("user_id") WHERE (revoked_at IS NULL);
ALTER TABLE "feeds"
  ADD CONSTRAINT "feeds_template_id_fkey" FOREIGN KEY ("template_id") REFERENCES "export_templates"("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  ADD CONSTRAINT kind_is_known CHECK (kind IN ('proxies', 'calendar')),
  -- a revoked feed has let go of its template; a calendar has neither
  ADD CONSTRAINT one_way_of_writing CHECK (revoked_at IS NOT NULL OR num_nonnulls(format, template_id) = CASE kind WHEN 'proxies' THEN 1 ELSE 0 END);
