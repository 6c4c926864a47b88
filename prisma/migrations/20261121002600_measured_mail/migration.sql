-- Measured mail: a consent of its own to be asked whether news was opened and which link was followed, and the two moments that may be kept under it.
SET lock_timeout = '5s';

ALTER TABLE "consents"
  ADD CONSTRAINT "consents_measuring" CHECK (kind <> 'measuring' OR (source IS NOT NULL AND topic IS NULL AND channel IS NULL AND NOT is_pending));

CREATE TABLE "measuring_choices" (
    "user_id" TEXT NOT NULL,
    "is_allowed" BOOLEAN NOT NULL,
    "consent_id" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "measuring_choices_pkey" PRIMARY KEY ("user_id")
);

-- Nothing can be kept of somebody whose mail was not measured; who followed a link has opened the mail.
ALTER TABLE "campaign_recipients"
  ADD COLUMN "is_measured" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "opened_at" TIMESTAMPTZ(3),
  ADD COLUMN "clicked_at" TIMESTAMPTZ(3),
  ADD COLUMN "clicked_link" INTEGER,
  ADD CONSTRAINT "campaign_recipients_measured" CHECK (is_measured OR (opened_at IS NULL AND clicked_at IS NULL)),
  ADD CONSTRAINT "campaign_recipients_clicked" CHECK ((clicked_at IS NULL) = (clicked_link IS NULL) AND (clicked_at IS NULL OR opened_at IS NOT NULL));
CREATE INDEX "campaign_recipients_measured_idx" ON "campaign_recipients"("campaign_id") WHERE (is_measured);
