-- Mail: what became of each, what the mail service told, and addresses that get none.
SET lock_timeout = '5s';

ALTER TABLE "outgoing_emails"
  ADD COLUMN "subject" TEXT,
  ADD COLUMN "failure" TEXT,
  ADD COLUMN "failure_detail" TEXT,
  ADD COLUMN "transport" TEXT,
  ADD COLUMN "round" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "attempts" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "unknown_outcomes" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "first_tried_at" TIMESTAMPTZ(3),
  ADD COLUMN "tried_at" TIMESTAMPTZ(3),
  ADD COLUMN "next_try_at" TIMESTAMPTZ(3),
  ADD COLUMN "state_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- Mails of before changed their state when they were sent, or never.
UPDATE outgoing_emails SET state_at = coalesce(sent_at, created_at), transport = CASE WHEN state = 'sent' THEN 'resend' END;

ALTER TABLE "outgoing_emails"
  ADD CONSTRAINT outgoing_emails_states CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed')),
  ADD CONSTRAINT outgoing_emails_failed_why CHECK (state NOT IN ('bounced', 'failed', 'suppressed') OR failure IS NOT NULL),
  ADD CONSTRAINT outgoing_emails_counts CHECK (round >= 0 AND attempts >= 0 AND unknown_outcomes >= 0);

CREATE INDEX "outgoing_emails_to_id_idx" ON "outgoing_emails"("to", "id");
CREATE INDEX "outgoing_emails_state_id_idx" ON "outgoing_emails"("state", "id");
CREATE INDEX "outgoing_emails_state_at_idx" ON "outgoing_emails"("state_at");
CREATE INDEX "outgoing_emails_provider_message_id_idx" ON "outgoing_emails"("provider_message_id");

CREATE TABLE "mail_events" (
    "id" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "email_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "detail" TEXT,
    "happened_at" TIMESTAMPTZ(3) NOT NULL,
    "digest" TEXT NOT NULL,
    "repeats" INTEGER NOT NULL DEFAULT 0,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mail_events_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "mail_events_kinds" CHECK (kind IN ('sent', 'delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed'))
);
CREATE UNIQUE INDEX "mail_events_external_id_key" ON "mail_events"("external_id");
CREATE INDEX "mail_events_email_id_happened_at_idx" ON "mail_events"("email_id", "happened_at");

CREATE TABLE "suppressed_addresses" (
    "id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "email_id" TEXT,
    "suppressed_at" TIMESTAMPTZ(3) NOT NULL,
    "lifted_at" TIMESTAMPTZ(3),
    "lifted_by" TEXT,
    "lift_reason" TEXT,

    CONSTRAINT "suppressed_addresses_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "suppressed_addresses_reasons" CHECK (reason IN ('hard_bounce', 'complaint', 'provider_list')),
    CONSTRAINT "suppressed_addresses_lower" CHECK (address = lower(address)),
    -- Staff say why; only the owner's confirmation speaks for itself.
    CONSTRAINT "suppressed_addresses_lift" CHECK ((lifted_by IS NULL OR (lifted_at IS NOT NULL AND lift_reason IS NOT NULL)) AND (lift_reason IS NULL OR lifted_by IS NOT NULL))
);
CREATE INDEX "suppressed_addresses_address_idx" ON "suppressed_addresses"("address");
CREATE UNIQUE INDEX suppressed_addresses_open ON suppressed_addresses (address, reason) WHERE lifted_at IS NULL;
