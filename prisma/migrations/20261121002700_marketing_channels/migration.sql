-- Marketing by Telegram: a choice is of a topic by a channel, and a campaign goes by one. What was said before was said of mail.
SET lock_timeout = '5s';

ALTER TABLE "marketing_choices" ADD CONSTRAINT "marketing_choices_channels" CHECK (channel IN ('mail', 'telegram'));
ALTER TABLE "campaigns"
  ADD COLUMN "channel" TEXT NOT NULL DEFAULT 'mail',
  ADD CONSTRAINT "campaigns_channels" CHECK (channel IN ('mail', 'telegram'));
