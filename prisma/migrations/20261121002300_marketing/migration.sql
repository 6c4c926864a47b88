-- Marketing: consent by topic and channel with its proof, and campaigns to those who gave it.
SET lock_timeout = '5s';

ALTER TABLE "consents"
  ADD COLUMN "topic" TEXT,
  ADD COLUMN "channel" TEXT,
  ADD COLUMN "source" TEXT,
  ADD COLUMN "is_pending" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "address_digest" TEXT,
  ADD COLUMN "cause" TEXT,
  ADD CONSTRAINT "consents_topic_of_marketing" CHECK (topic IS NULL OR (kind = 'marketing' AND channel IS NOT NULL AND source IS NOT NULL)),
  ADD CONSTRAINT "consents_pending_is_a_yes" CHECK (NOT is_pending OR is_granted);
CREATE INDEX "consents_cause_idx" ON "consents"("cause") WHERE (cause IS NOT NULL);

-- A proof that can be edited proves nothing. Rows go only with their person.
CREATE FUNCTION consents_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'consents are only added';
END $$;
CREATE TRIGGER consents_stay BEFORE UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION consents_stay();

CREATE TABLE "marketing_choices" (
    "user_id" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "consent_id" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "marketing_choices_pkey" PRIMARY KEY ("user_id","topic","channel"),
    CONSTRAINT "marketing_choices_states" CHECK (state IN ('on', 'pending', 'off'))
);
CREATE INDEX "marketing_choices_on" ON "marketing_choices"("topic", "channel", "user_id") WHERE (state = 'on');

-- Whoever said yes before said it to news and offers by mail: to those two topics, in those words.
INSERT INTO marketing_choices (user_id, topic, channel, state, consent_id, updated_at)
SELECT c.user_id, t.topic, 'mail', CASE WHEN c.is_granted THEN 'on' ELSE 'off' END, c.id, c.at
FROM (SELECT DISTINCT ON (user_id) * FROM consents WHERE kind = 'marketing' ORDER BY user_id, at DESC, id DESC) c
CROSS JOIN (VALUES ('news'), ('offers')) t(topic);

CREATE TABLE "campaigns" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'draft',
    "audience" JSONB NOT NULL,
    "subject_en" TEXT NOT NULL,
    "body_en" TEXT NOT NULL,
    "subject_ru" TEXT NOT NULL,
    "body_ru" TEXT NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "starts_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "cursor" TEXT NOT NULL DEFAULT '',
    "is_collected" BOOLEAN NOT NULL DEFAULT false,
    "batch" INTEGER NOT NULL DEFAULT 0,
    "is_batch_open" BOOLEAN NOT NULL DEFAULT false,
    "batch_tried_at" TIMESTAMPTZ(3),
    "batch_first_tried_at" TIMESTAMPTZ(3),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "failure" TEXT,
    "next_batch_at" TIMESTAMPTZ(3),

    CONSTRAINT "campaigns_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "campaigns_states" CHECK (state IN ('draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled')),
    CONSTRAINT "campaigns_scheduled_when" CHECK (state <> 'scheduled' OR starts_at IS NOT NULL),
    CONSTRAINT "campaigns_counts" CHECK (batch >= 0 AND failures >= 0)
);
CREATE INDEX "campaigns_state_starts_at_idx" ON "campaigns"("state", "starts_at");

CREATE TABLE "campaign_recipients" (
    "id" TEXT NOT NULL,
    "campaign_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "to" TEXT,
    "locale" TEXT,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "failure" TEXT,
    "batch" INTEGER,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "provider_message_id" TEXT,
    "state_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "campaign_recipients_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "campaign_recipients_states" CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed', 'skipped')),
    CONSTRAINT "campaign_recipients_in_a_batch" CHECK (state <> 'sending' OR (batch IS NOT NULL AND "to" IS NOT NULL AND locale IS NOT NULL))
);
CREATE UNIQUE INDEX "campaign_recipients_campaign_id_user_id_key" ON "campaign_recipients"("campaign_id", "user_id");
CREATE INDEX "campaign_recipients_campaign_id_state_attempts_id_idx" ON "campaign_recipients"("campaign_id", "state", "attempts", "id");
CREATE INDEX "campaign_recipients_user_id_id_idx" ON "campaign_recipients"("user_id", "id");
ALTER TABLE "campaign_recipients" ADD CONSTRAINT "campaign_recipients_campaign_id_fkey" FOREIGN KEY ("campaign_id") REFERENCES "campaigns"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- How the confirming mail and the test of a campaign are told; see lib/notifications/template-rules.ts.
INSERT INTO notice_templates (template, type, is_mail_required, is_mail_only) VALUES
  ('marketing_confirm', 'news', true, true),
  ('campaign_test', 'news', true, true);
