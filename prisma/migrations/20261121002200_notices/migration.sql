-- What customers are told, in one place: a notice in the app, a mail, a message through a channel, each as its person's switches stand, each once.
SET lock_timeout = '5s';

CREATE TABLE "notice_templates" (
    "template" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "is_mail_required" BOOLEAN NOT NULL,
    "is_mail_only" BOOLEAN NOT NULL,

    CONSTRAINT "notice_templates_pkey" PRIMARY KEY ("template")
);

CREATE TABLE "notices" (
    "id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "template" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "props" JSONB NOT NULL,
    "is_shown" BOOLEAN NOT NULL,
    "waits_digest" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "read_at" TIMESTAMPTZ(3),

    CONSTRAINT "notices_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "notice_switches" (
    "user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "is_on" BOOLEAN NOT NULL,

    CONSTRAINT "notice_switches_pkey" PRIMARY KEY ("user_id","type","channel")
);

CREATE TABLE "notice_settings" (
    "user_id" TEXT NOT NULL,
    "digest_hour" INTEGER,
    "digest_day" DATE,
    "low_balance_micros" BIGINT,
    "is_balance_low" BOOLEAN NOT NULL DEFAULT false,
    "low_balance_count" INTEGER NOT NULL DEFAULT 0,
    "next_charge_days" INTEGER NOT NULL DEFAULT 3,
    "is_next_charge_loud" BOOLEAN NOT NULL DEFAULT false,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notice_settings_pkey" PRIMARY KEY ("user_id"),
    CONSTRAINT "notice_settings_hour" CHECK (digest_hour BETWEEN 0 AND 23),
    CONSTRAINT "notice_settings_low_balance_positive" CHECK (low_balance_micros > 0),
    CONSTRAINT "notice_settings_next_charge" CHECK (next_charge_days BETWEEN 0 AND 14)
);

CREATE TABLE "linked_channels" (
    "user_id" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "linked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "linked_channels_pkey" PRIMARY KEY ("user_id","channel")
);

CREATE TABLE "channel_links" (
    "user_id" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "token_digest" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "channel_links_pkey" PRIMARY KEY ("user_id","channel")
);

CREATE TABLE "channel_messages" (
    "id" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "notice_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "channel_messages_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "channel_messages_state" CHECK (state IN ('queued', 'sending', 'sent', 'refused', 'dropped'))
);

CREATE TABLE "channel_accounts" (
    "channel" TEXT NOT NULL,
    "is_enabled" BOOLEAN NOT NULL DEFAULT false,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "sealed" JSONB NOT NULL DEFAULT '{}',
    "hints" JSONB NOT NULL DEFAULT '{}',
    "tested_at" TIMESTAMPTZ(3),
    "test_result" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "channel_accounts_pkey" PRIMARY KEY ("channel")
);

CREATE UNIQUE INDEX "notices_key_key" ON "notices"("key");
CREATE INDEX "notices_user_id_id_idx" ON "notices"("user_id", "id");
CREATE INDEX "notices_unread" ON "notices"("user_id") WHERE (is_shown AND (read_at IS NULL));
CREATE INDEX "notices_waiting" ON "notices"("user_id") WHERE waits_digest;
CREATE INDEX "notice_settings_low_balance" ON "notice_settings"("user_id") WHERE (low_balance_micros IS NOT NULL);
CREATE UNIQUE INDEX "linked_channels_channel_address_key" ON "linked_channels"("channel", "address");
CREATE UNIQUE INDEX "channel_links_token_digest_key" ON "channel_links"("token_digest");
CREATE UNIQUE INDEX "channel_messages_notice_id_channel_key" ON "channel_messages"("notice_id", "channel");
CREATE INDEX "channel_messages_user_id_idx" ON "channel_messages"("user_id");

ALTER TABLE "channel_messages" ADD CONSTRAINT "channel_messages_notice_id_fkey" FOREIGN KEY ("notice_id") REFERENCES "notices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The rules of lib/notifications/template-rules.ts. A new template adds its row in a migration of its own.
INSERT INTO notice_templates (template, type, is_mail_required, is_mail_only) VALUES
  ('verify_email', 'security', true, true),
  ('account_exists', 'security', true, false),
  ('reset_password', 'security', true, true),
  ('password_changed', 'security', true, false),
  ('top_up_receipt', 'payments', true, false),
  ('top_up_needs_review', 'payments', false, false),
  ('top_up_declined', 'payments', true, false),
  ('top_up_corrected', 'payments', true, false),
  ('top_up_refund_begun', 'payments', true, false),
  ('top_up_refunded', 'payments', true, false),
  ('refund_failed', 'payments', true, false),
  ('dispute_opened', 'payments', true, false),
  ('dispute_won', 'payments', true, false),
  ('low_balance', 'payments', false, false),
  ('order_delivered', 'orders', false, false),
  ('order_failed', 'orders', false, false),
  ('order_intent_refused', 'orders', false, false),
  ('order_withdrawn', 'orders', true, false),
  ('order_credited', 'orders', false, false),
  ('proxy_replaced', 'orders', false, false),
  ('order_renewed', 'renewals', false, false),
  ('renewal_failed', 'renewals', false, false),
  ('renewal_short', 'renewals', false, false),
  ('renewal_dearer', 'renewals', false, false),
  ('next_charge', 'renewals', false, false),
  ('order_expired', 'renewals', false, false),
  ('digest', 'service', true, true),
  ('mail_test', 'service', true, true);

-- Tells customers facts: [{key, userId, template, props, to?, locale?, isQuiet?}], in the caller's transaction, each once per key and channel. A fact leaves a
-- notice; a new notice leaves a mail and a message through each linked channel where the person's switches let them (default: on, except for news). What
-- security or money needs is mailed and shown whatever the switches say. `isQuiet`: in the app only. With a daily digest, a mail that may be switched off waits
-- for it. A mail-only fact (a link that opens an account; the digest) leaves no notice. `to` and `locale` are otherwise the customer's own of this moment.
-- A repeat tells nothing, also when switches were turned in between. An unknown template is an error. Set-based: as fast for many as for one.
CREATE FUNCTION tell_customers(p_facts jsonb) RETURNS void LANGUAGE sql AS $$
  WITH facts AS MATERIALIZED (
    SELECT f.key, f.template, f.props, u.id AS user_id, coalesce(f."to", u.email) AS "to", coalesce(f.locale, u.locale) AS locale, t.type, t.is_mail_only,
           t.is_mail_required OR coalesce(a.is_on, true) AS is_shown,
           t.is_mail_required OR coalesce(m.is_on, t.type <> 'news') AND f."isQuiet" IS NOT TRUE AS by_mail,
           NOT t.is_mail_required AND s.digest_hour IS NOT NULL AS waits,
           f."isQuiet" IS TRUE AS is_quiet
    FROM jsonb_to_recordset(p_facts) AS f(key text, "userId" text, template text, props jsonb, "to" text, locale text, "isQuiet" boolean)
    JOIN users u ON u.id = f."userId"
    LEFT JOIN notice_templates t ON t.template = f.template
    LEFT JOIN notice_settings s ON s.user_id = u.id
    LEFT JOIN notice_switches a ON a.user_id = u.id AND a.type = t.type AND a.channel = 'app'
    LEFT JOIN notice_switches m ON m.user_id = u.id AND m.type = t.type AND m.channel = 'mail'
  ), told AS (
    INSERT INTO notices (id, key, user_id, template, type, props, is_shown, waits_digest)
    SELECT new_id('ntc'), f.key, f.user_id, f.template, f.type, f.props, f.is_shown, f.by_mail AND f.waits FROM facts f WHERE f.is_mail_only IS NOT TRUE
    ON CONFLICT (key) DO NOTHING RETURNING id, key
  ), mails AS (
    INSERT INTO outgoing_emails (id, key, user_id, "to", locale, template, props)
    SELECT new_id('eml'), f.key, f.user_id, f."to", f.locale, f.template, f.props
    FROM facts f LEFT JOIN told n ON n.key = f.key WHERE f.is_mail_only OR n.id IS NOT NULL AND f.by_mail AND NOT f.waits
    ON CONFLICT (key) DO NOTHING RETURNING id
  ), messages AS (
    INSERT INTO channel_messages (id, channel, notice_id, user_id)
    SELECT new_id('msg'), l.channel, n.id, f.user_id
    FROM told n JOIN facts f ON f.key = n.key JOIN linked_channels l ON l.user_id = f.user_id
    LEFT JOIN notice_switches w ON w.user_id = f.user_id AND w.type = f.type AND w.channel = l.channel
    WHERE NOT f.is_quiet AND coalesce(w.is_on, f.type <> 'news')
    RETURNING id
  ), message_jobs AS (
    INSERT INTO outbox_jobs (name, payload) SELECT 'notices.send_message', jsonb_build_object('messageId', id) FROM messages
  )
  INSERT INTO outbox_jobs (name, payload) SELECT 'notifications.send_email', jsonb_build_object('emailId', id) FROM mails
$$;

-- The older names, for the functions that tell; one fact, and many.
CREATE OR REPLACE FUNCTION queue_user_email(p_key text, p_user_id text, p_template text, p_props jsonb) RETURNS void LANGUAGE sql AS $$
  SELECT tell_customers(jsonb_build_array(jsonb_build_object('key', p_key, 'userId', p_user_id, 'template', p_template, 'props', p_props)))
$$;
CREATE OR REPLACE FUNCTION queue_user_emails(p_mails jsonb) RETURNS void LANGUAGE sql AS $$ SELECT tell_customers(p_mails) $$;

-- Tells whoever's balance fell below their own mark since it was last looked at; returns how many. Told once until the balance was at the mark again. Safe any
-- number of times at once: the row says whether it was told, and is changed with the telling.
CREATE FUNCTION tell_low_balances(p_currency text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE v_facts jsonb;
BEGIN
  WITH looked AS (
    UPDATE notice_settings s SET is_balance_low = b.is_low, low_balance_count = s.low_balance_count + b.is_low::int
    FROM (SELECT w.user_id, w.low_balance_micros AS mark, coalesce(a.balance_micros, 0) AS balance, coalesce(a.balance_micros, 0) < w.low_balance_micros AS is_low
          FROM notice_settings w LEFT JOIN ledger_accounts a ON a.owner = w.user_id AND a.kind = 'customer_balance' AND a.currency = p_currency
          WHERE w.low_balance_micros IS NOT NULL) b
    WHERE s.user_id = b.user_id AND s.low_balance_micros = b.mark AND s.is_balance_low <> b.is_low
    RETURNING s.user_id, s.low_balance_count, b.mark, b.balance, b.is_low
  )
  SELECT jsonb_agg(jsonb_build_object('key', 'low_balance:' || user_id || ':' || low_balance_count, 'userId', user_id, 'template', 'low_balance', 'props',
    jsonb_build_object('balanceMicros', balance::text, 'thresholdMicros', mark::text, 'currency', p_currency))) INTO v_facts FROM looked WHERE is_low;
  IF v_facts IS NULL THEN RETURN 0; END IF;
  PERFORM tell_customers(v_facts);
  RETURN jsonb_array_length(v_facts);
END $$;
