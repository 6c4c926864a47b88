-- Codes that lower a price or add a bonus to a top-up, vouchers, and the throttles that guessing them runs into.
SET lock_timeout = '5s';

CREATE TABLE "promotions" (
    "id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "percent" INTEGER,
    "amount_micros" BIGINT,
    "gigabytes" INTEGER,
    "minimum_micros" BIGINT,
    "cap_micros" BIGINT,
    "currency" TEXT NOT NULL,
    "first_only" BOOLEAN NOT NULL DEFAULT false,
    "product_ids" TEXT[],
    "countries" TEXT[],
    "starts_at" TIMESTAMPTZ(3),
    "ends_at" TIMESTAMPTZ(3),
    "per_person" INTEGER,
    "max_uses" INTEGER,
    "used" INTEGER NOT NULL DEFAULT 0,
    "is_active" BOOLEAN NOT NULL DEFAULT true,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "promotions_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "promotions_code_key" ON "promotions"("code");
ALTER TABLE promotions
  ADD CONSTRAINT code_is_normal CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{2,31}$'),
  ADD CONSTRAINT terms_fit_the_kind CHECK (CASE kind
    WHEN 'percent' THEN percent IS NOT NULL AND amount_micros IS NULL AND gigabytes IS NULL
    WHEN 'amount' THEN amount_micros IS NOT NULL AND percent IS NULL AND gigabytes IS NULL
    WHEN 'gigabytes' THEN gigabytes IS NOT NULL AND percent IS NULL AND amount_micros IS NULL
    WHEN 'top_up_bonus' THEN (percent IS NULL) <> (amount_micros IS NULL) AND gigabytes IS NULL
    ELSE false END),
  ADD CONSTRAINT numbers_make_sense CHECK (percent BETWEEN 1 AND 100 AND gigabytes BETWEEN 1 AND 10000 AND per_person BETWEEN 1 AND 1000
    AND max_uses BETWEEN 1 AND 1000000 AND amount_micros BETWEEN 1 AND 10000000000 AND minimum_micros BETWEEN 1 AND 100000000000
    AND cap_micros BETWEEN 1 AND 10000000000 AND used >= 0 AND revision > 0 AND ends_at > starts_at);
ALTER TABLE promotions SET (fillfactor = 70);

CREATE TABLE "promotion_uses" (
    "id" TEXT NOT NULL,
    "promotion_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "subject_kind" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "returned_micros" BIGINT NOT NULL DEFAULT 0,
    "currency" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "promotion_uses_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "promotion_uses_subject_kind_subject_id_key" ON "promotion_uses"("subject_kind", "subject_id");
CREATE INDEX "promotion_uses_promotion_id_user_id_idx" ON "promotion_uses"("promotion_id", "user_id");
ALTER TABLE "promotion_uses" ADD CONSTRAINT "promotion_uses_promotion_id_fkey" FOREIGN KEY ("promotion_id") REFERENCES "promotions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE promotion_uses
  ADD CONSTRAINT subject_is_known CHECK (subject_kind IN ('order', 'intent', 'payment')),
  ADD CONSTRAINT state_is_known CHECK (state IN ('reserved', 'consumed', 'released')),
  ADD CONSTRAINT ended_has_a_time CHECK ((state = 'reserved') = (ended_at IS NULL)),
  ADD CONSTRAINT amounts_make_sense CHECK (amount_micros >= 0 AND returned_micros BETWEEN 0 AND amount_micros);

CREATE TABLE "voucher_batches" (
    "id" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "ends_at" TIMESTAMPTZ(3),
    "made_at" TIMESTAMPTZ(3),
    "withdrawn_at" TIMESTAMPTZ(3),
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "voucher_batches_pkey" PRIMARY KEY ("id")
);
ALTER TABLE voucher_batches ADD CONSTRAINT numbers_make_sense CHECK (amount_micros BETWEEN 1 AND 10000000000 AND count BETWEEN 1 AND 10000);

CREATE TABLE "vouchers" (
    "id" TEXT NOT NULL,
    "batch_id" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "redeemed_by" TEXT,
    "redeemed_at" TIMESTAMPTZ(3),

    CONSTRAINT "vouchers_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "vouchers_digest_key" ON "vouchers"("digest");
CREATE INDEX "vouchers_batch_id_idx" ON "vouchers"("batch_id");
ALTER TABLE "vouchers" ADD CONSTRAINT "vouchers_batch_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "voucher_batches"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE vouchers ADD CONSTRAINT redeemed_says_by_whom CHECK ((redeemed_by IS NULL) = (redeemed_at IS NULL));

-- What was redeemed stays so, and no voucher changes hands, whatever the code does.
CREATE FUNCTION refuse_voucher_undone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a redeemed voucher is not undone' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER redeemed_once BEFORE UPDATE OR DELETE ON vouchers FOR EACH ROW WHEN (OLD.redeemed_at IS NOT NULL) EXECUTE FUNCTION refuse_voucher_undone();

CREATE TABLE "throttles" (
    "key" TEXT NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" TIMESTAMPTZ(3),

    CONSTRAINT "throttles_pkey" PRIMARY KEY ("key")
);
CREATE INDEX "throttles_expire_idx" ON "throttles"("expire");

ALTER TABLE orders
  ADD COLUMN promotion_id text,
  ADD COLUMN promotion_micros bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT amounts_make_sense,
  ADD CONSTRAINT amounts_make_sense CHECK (quantity > 0 AND total_micros > 0 AND discount_micros >= 0 AND promotion_micros >= 0
    AND (promotion_micros > 0) = (promotion_id IS NOT NULL) AND unit_price_micros * quantity - discount_micros - promotion_micros = total_micros) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT amounts_make_sense;
ALTER TABLE order_intents ADD COLUMN promotion_id text;
CREATE INDEX "order_intents_waiting" ON "order_intents"("expires_at") WHERE state = 'waiting'::text;
ALTER TABLE payments ADD COLUMN promotion_id text;

-- Whether a person may use a code now for such a thing, going by what the code itself says of time and people; what it says of goods and amounts is
-- the caller's. Answers 'open' | 'not_valid' | 'used_up'. Exact when the caller holds the promotion's row.
CREATE FUNCTION judge_promotion(p_promotion promotions, p_user_id text, p_subject_kind text, p_at timestamptz) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT p_promotion.is_active OR p_promotion.starts_at > p_at OR p_promotion.ends_at <= p_at
     OR (p_promotion.kind = 'top_up_bonus') <> (p_subject_kind = 'payment') THEN RETURN 'not_valid'; END IF;
  IF p_promotion.first_only THEN
    IF p_subject_kind = 'payment' THEN
      IF EXISTS (SELECT 1 FROM payments p WHERE p.user_id = p_user_id AND p.credited_at IS NOT NULL) THEN RETURN 'not_valid'; END IF;
    ELSIF EXISTS (SELECT 1 FROM orders o WHERE o.user_id = p_user_id AND o.state NOT IN ('failed', 'cancelled')) THEN RETURN 'not_valid'; END IF;
  END IF;
  -- A first order or top-up is one: two that wait at once are not both the first.
  IF (SELECT count(*) FROM promotion_uses u WHERE u.promotion_id = p_promotion.id AND u.user_id = p_user_id AND u.state <> 'released')
     >= (CASE WHEN p_promotion.first_only THEN 1 ELSE p_promotion.per_person END) THEN RETURN 'used_up'; END IF;
  IF p_promotion.used >= p_promotion.max_uses THEN RETURN 'used_up'; END IF;
  RETURN 'open';
END $$;

-- Keeps one use of a code for a subject. Locks the promotion's row, so that of many at once the last use goes to one; a row of a person or of a balance
-- is never locked after it. Outcome: 'reserved' | 'changed' (another revision than was read) | 'not_valid' | 'used_up'. Only 'reserved' has written.
CREATE FUNCTION reserve_promotion(p_promotion_id text, p_revision int, p_user_id text, p_subject_kind text, p_subject_id text, p_amount bigint, p_at timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_promotion promotions; v_judged text;
BEGIN
  SELECT * INTO v_promotion FROM promotions p WHERE p.id = p_promotion_id FOR NO KEY UPDATE;
  IF NOT FOUND OR v_promotion.revision <> p_revision THEN RETURN 'changed'; END IF;
  v_judged := judge_promotion(v_promotion, p_user_id, p_subject_kind, p_at);
  IF v_judged <> 'open' THEN RETURN v_judged; END IF;
  UPDATE promotions SET used = used + 1 WHERE id = p_promotion_id;
  INSERT INTO promotion_uses (id, promotion_id, user_id, subject_kind, subject_id, amount_micros, currency, state, created_at)
  VALUES (new_id('pru'), p_promotion_id, p_user_id, p_subject_kind, p_subject_id, p_amount, v_promotion.currency, 'reserved', p_at);
  RETURN 'reserved';
END $$;

-- Gives a reserved use back to its promotion; what was consumed or released before stays so.
CREATE FUNCTION release_promotion(p_subject_kind text, p_subject_id text, p_reason text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_promotion text;
BEGIN
  UPDATE promotion_uses SET state = 'released', reason = p_reason, ended_at = clock_timestamp()
  WHERE subject_kind = p_subject_kind AND subject_id = p_subject_id AND state = 'reserved' RETURNING promotion_id INTO v_promotion;
  IF FOUND THEN UPDATE promotions SET used = used - 1 WHERE id = v_promotion; END IF;
END $$;

-- A use follows its order, choice or payment, whoever moves that. On the rows themselves, so that no way of ending one can forget it.
CREATE FUNCTION promotion_follows_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state IN ('failed', 'cancelled') THEN
    PERFORM release_promotion('order', NEW.id, NEW.state);
  ELSIF NEW.state NOT IN ('placed', 'delivering', 'unknown') THEN
    -- Of an order that came in part, its share of the discount was given.
    UPDATE promotion_uses u SET state = 'consumed', ended_at = clock_timestamp(),
      amount_micros = trunc(NEW.promotion_micros::numeric * h.captured_micros / h.amount_micros)::bigint
    FROM ledger_holds h WHERE h.id = NEW.id AND u.subject_kind = 'order' AND u.subject_id = NEW.id AND u.state = 'reserved';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER promotion_follows AFTER UPDATE OF state ON orders
  FOR EACH ROW WHEN (NEW.promotion_id IS NOT NULL AND OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION promotion_follows_order();

CREATE FUNCTION promotion_follows_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM release_promotion(TG_ARGV[0], NEW.id, NEW.state);
  RETURN NULL;
END $$;
-- A choice that was placed gave its use to the order before.
CREATE TRIGGER promotion_follows AFTER UPDATE OF state ON order_intents
  FOR EACH ROW WHEN (NEW.promotion_id IS NOT NULL AND NEW.state IN ('refused', 'expired')) EXECUTE FUNCTION promotion_follows_end('intent');
CREATE TRIGGER promotion_follows AFTER UPDATE OF state ON payments
  FOR EACH ROW WHEN (NEW.promotion_id IS NOT NULL AND OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('expired', 'cancelled', 'declined'))
  EXECUTE FUNCTION promotion_follows_end('payment');

-- As before, and: a code lowers the price. p_total is what is paid, p_promotion_micros what the code takes off. A use is reserved in the same call, or, for a
-- choice that waited with its code, taken over from there. More outcomes: 'promotion_changed' | 'promotion_not_valid' | 'promotion_used_up'.
-- The promotion's row is locked last.
DROP FUNCTION place_order(text, text, text, text, int, text, boolean, text, text, int, int, bigint, bigint, bigint, text);
CREATE FUNCTION place_order(
  p_order_id text, p_user_id text, p_request_key text, p_plan_id text, p_plan_revision int, p_offer_id text, p_is_stock boolean,
  p_product_kind text, p_country_code text, p_period_days int, p_quantity int, p_unit_price bigint, p_discount bigint, p_total bigint, p_currency text,
  p_promotion_id text DEFAULT NULL, p_promotion_revision int DEFAULT NULL, p_promotion_micros bigint DEFAULT 0,
  OUT outcome text, OUT order_id text, OUT available bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_account text; v_units text[]; v_old record; v_now timestamptz := clock_timestamp(); v_held text; v_intent record; v_debt bigint; v_policy text; v_kept text;
BEGIN
  SELECT a.id, a.balance_micros INTO v_account, available FROM ledger_accounts a
  WHERE a.owner = p_user_id AND a.kind = 'customer_balance' AND a.currency = p_currency FOR NO KEY UPDATE;

  SELECT o.id, (o.plan_id, o.country_code, o.period_days, o.quantity, o.total_micros)
             = (p_plan_id, p_country_code, p_period_days, p_quantity, p_total) AS same INTO v_old
  FROM orders o WHERE o.user_id = p_user_id AND o.request_key = p_request_key;
  IF FOUND THEN
    order_id := v_old.id;
    outcome := CASE WHEN v_old.same THEN 'repeated' ELSE 'key_reused' END;
    RETURN;
  END IF;

  -- A choice that waited for money is bought under its own id. The lock makes taking it back and buying it exclude each other.
  IF p_request_key LIKE 'int\_%' THEN
    SELECT i.state, i.promotion_id INTO v_intent FROM order_intents i WHERE i.id = p_request_key AND i.user_id = p_user_id FOR UPDATE;
    IF v_intent.state <> 'waiting' THEN outcome := 'intent_closed'; RETURN; END IF;
  END IF;

  SELECT pr.policy_id INTO v_policy FROM plans pl JOIN products pr ON pr.id = pl.product_id JOIN offers f ON f.plan_id = pl.id
  WHERE pl.id = p_plan_id AND pl.revision = p_plan_revision AND pl.is_active AND pr.is_active AND f.id = p_offer_id AND f.is_active;
  IF NOT FOUND THEN outcome := 'plan_changed'; RETURN; END IF;

  -- Read after the lock on the balance, which whoever makes a debt holds, too.
  v_debt := ledger_debt(p_user_id, p_currency);
  IF v_debt > 0 THEN outcome := 'in_debt'; available := v_debt; RETURN; END IF;

  available := coalesce(available, 0);
  IF available < p_total THEN outcome := 'insufficient_balance'; RETURN; END IF;

  IF p_is_stock THEN
    -- Ordered by rank, which only the index over free units serves: by id the planner walks every unit ever sold.
    SELECT array_agg(u.id) INTO v_units FROM (
      SELECT id FROM stock_units WHERE offer_id = p_offer_id AND state = 'free' ORDER BY rank LIMIT p_quantity FOR UPDATE SKIP LOCKED
    ) u;
    available := coalesce(cardinality(v_units), 0);
    IF available < p_quantity THEN outcome := 'sold_out'; RETURN; END IF;
  END IF;

  IF p_promotion_id IS NOT NULL THEN
    IF p_promotion_revision IS NULL THEN
      -- The use was reserved when the choice was kept. Of several choices for a first order only one becomes it.
      IF EXISTS (SELECT 1 FROM promotions p WHERE p.id = p_promotion_id AND p.first_only)
         AND EXISTS (SELECT 1 FROM orders o WHERE o.user_id = p_user_id AND o.state NOT IN ('failed', 'cancelled')) THEN
        outcome := 'promotion_not_valid'; RETURN;
      END IF;
      UPDATE promotion_uses SET subject_kind = 'order', subject_id = p_order_id, amount_micros = p_promotion_micros
      WHERE subject_kind = 'intent' AND subject_id = p_request_key AND promotion_id = p_promotion_id AND user_id = p_user_id AND state = 'reserved';
      IF NOT FOUND THEN outcome := 'promotion_not_valid'; RETURN; END IF;
    ELSE
      v_kept := reserve_promotion(p_promotion_id, p_promotion_revision, p_user_id, 'order', p_order_id, p_promotion_micros, v_now);
      IF v_kept <> 'reserved' THEN outcome := 'promotion_' || v_kept; RETURN; END IF;
    END IF;
  END IF;

  INSERT INTO orders (id, user_id, request_key, plan_id, plan_revision, product_kind, offer_id, country_code, period_days, quantity,
                      unit_price_micros, discount_micros, total_micros, currency, state, placed_at, policy_id, promotion_id, promotion_micros)
  VALUES (p_order_id, p_user_id, p_request_key, p_plan_id, p_plan_revision, p_product_kind, p_offer_id, p_country_code, p_period_days, p_quantity,
          p_unit_price, p_discount, p_total, p_currency, 'placed', v_now, v_policy, p_promotion_id, p_promotion_micros);
  SELECT h.outcome INTO v_held FROM ledger_hold(p_order_id, v_account, p_total, p_currency, 'order', v_now) h;
  IF v_held <> 'posted' THEN RAISE EXCEPTION 'hold of % was %', p_order_id, v_held; END IF;
  IF p_is_stock THEN
    UPDATE stock_units SET state = 'reserved', order_id = p_order_id WHERE id = ANY (v_units);
  END IF;
  IF p_request_key LIKE 'int\_%' THEN
    UPDATE order_intents SET state = 'placed', order_id = p_order_id WHERE id = p_request_key;
  END IF;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'placed', jsonb_build_object('heldMicros', p_total::text));
  INSERT INTO outbox_jobs (name, payload) VALUES ('provisioning.deliver', jsonb_build_object('orderId', p_order_id));
  order_id := p_order_id;
  outcome := 'placed';
END $$;

-- The bonus of a payment's code, given in the transaction of its credit. The caller holds the payment's row and, by the credit, the customer's balance.
-- Computed from what was credited: of a fixed bonus the share of what was asked for that came. `bonus` null: no code; 0: none, and `reason` says why
-- ('not_valid' | 'used_up' | 'below_minimum'). A use that was released, because the money came late, is taken back if there still is one.
CREATE FUNCTION give_top_up_bonus(p_payment payments, p_credit bigint, p_happened_at timestamptz, OUT bonus bigint, OUT balance bigint, OUT reason text) LANGUAGE plpgsql AS $$
DECLARE v_use promotion_uses; v_promotion promotions; v_given record; v_shop text; v_now timestamptz := clock_timestamp();
BEGIN
  SELECT * INTO v_use FROM promotion_uses u WHERE u.subject_kind = 'payment' AND u.subject_id = p_payment.id AND u.state <> 'consumed' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  bonus := 0;
  v_shop := ledger_account('shop', 'promotions', p_payment.currency);
  SELECT * INTO v_promotion FROM promotions p WHERE p.id = v_use.promotion_id FOR NO KEY UPDATE;
  IF v_promotion.first_only AND EXISTS (SELECT 1 FROM payments p WHERE p.user_id = p_payment.user_id AND p.credited_at IS NOT NULL AND p.id <> p_payment.id) THEN
    reason := 'not_valid';
  ELSIF p_credit < v_promotion.minimum_micros THEN
    reason := 'below_minimum';
  ELSIF v_use.state = 'released' THEN
    reason := nullif(judge_promotion(v_promotion, p_payment.user_id, 'payment', v_now), 'open');
  END IF;
  IF reason IS NULL THEN
    bonus := least(v_promotion.cap_micros, CASE WHEN v_promotion.percent IS NOT NULL THEN trunc(p_credit::numeric * v_promotion.percent / 100)
      ELSE trunc(v_promotion.amount_micros::numeric * least(p_credit, p_payment.requested_micros) / p_payment.requested_micros) END)::bigint;
    IF bonus = 0 THEN reason := 'below_minimum'; END IF;
  END IF;
  IF bonus > 0 AND v_use.state = 'released' THEN UPDATE promotions SET used = used + 1 WHERE id = v_promotion.id; END IF;
  IF bonus = 0 AND v_use.state = 'reserved' THEN UPDATE promotions SET used = used - 1 WHERE id = v_promotion.id; END IF;
  UPDATE promotion_uses u SET state = CASE WHEN bonus > 0 THEN 'consumed' ELSE 'released' END, reason = give_top_up_bonus.reason, amount_micros = bonus,
    ended_at = v_now WHERE u.id = v_use.id;
  IF bonus = 0 THEN RETURN; END IF;
  SELECT * INTO v_given FROM ledger_give('promotion_bonus:' || v_use.id, v_shop, p_payment.user_id, bonus, p_payment.currency, 'promotion', v_use.id, p_happened_at);
  IF v_given.outcome <> 'posted' THEN RAISE EXCEPTION 'bonus of % was %', p_payment.id, v_given.outcome; END IF;
  balance := v_given.balance;
END $$;

-- As before, and: a code given with the top-up brings its bonus in the same transaction.
CREATE OR REPLACE FUNCTION credit_payment(p_payment_id text, p_provider_payment_id text, p_received bigint, p_credit bigint, p_happened_at timestamptz,
  OUT outcome text, OUT balance_micros bigint) LANGUAGE plpgsql AS $$
DECLARE v_payment payments; v_given record; v_bonus record;
BEGIN
  SELECT * INTO v_payment FROM payments p WHERE p.id = p_payment_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_payment.credited_at IS NOT NULL THEN outcome := 'already_credited'; RETURN; END IF;
  SELECT * INTO v_given FROM ledger_give('top_up:' || p_payment_id, ledger_account('shop', 'provider_clearing:' || v_payment.provider, v_payment.currency),
    v_payment.user_id, p_credit, v_payment.currency, 'payment', p_payment_id, p_happened_at);
  IF v_given.outcome <> 'posted' THEN RAISE EXCEPTION 'credit of % was %', p_payment_id, v_given.outcome; END IF;
  balance_micros := v_given.balance;
  UPDATE payments SET state = 'credited', provider_payment_id = coalesce(provider_payment_id, p_provider_payment_id), received_micros = p_received,
    credited_micros = p_credit, credited_at = p_happened_at, next_check_at = NULL WHERE id = p_payment_id;
  INSERT INTO payment_events (payment_id, kind, data) VALUES (p_payment_id, 'credited', jsonb_strip_nulls(jsonb_build_object(
    'creditedMicros', p_credit::text, 'receivedMicros', p_received::text, 'chargeCurrency', nullif(v_payment.charge_currency, v_payment.currency),
    'debtPaidMicros', nullif(v_given.debt_paid, 0)::text)));
  INSERT INTO audit_entries (id, actor_kind, action, subject_kind, subject_id, data)
  VALUES (new_id('aud'), 'system', 'payments.credited', 'payment', p_payment_id, jsonb_build_object('creditedMicros', p_credit::text, 'currency', v_payment.currency));
  SELECT NULL::bigint AS bonus, NULL::bigint AS balance, NULL::text AS reason INTO v_bonus;
  IF v_payment.promotion_id IS NOT NULL THEN
    SELECT * INTO v_bonus FROM give_top_up_bonus(v_payment, p_credit, p_happened_at);
    balance_micros := coalesce(v_bonus.balance, balance_micros);
    INSERT INTO payment_events (payment_id, kind, data) VALUES (p_payment_id, CASE WHEN v_bonus.bonus > 0 THEN 'bonus' ELSE 'bonus_missed' END,
      jsonb_strip_nulls(jsonb_build_object('bonusMicros', nullif(v_bonus.bonus, 0)::text, 'reason', v_bonus.reason,
        'code', (SELECT p.code FROM promotions p WHERE p.id = v_payment.promotion_id))));
  END IF;
  PERFORM queue_user_email('receipt:' || p_payment_id, v_payment.user_id, 'top_up_receipt', jsonb_strip_nulls(jsonb_build_object(
    'paymentId', p_payment_id, 'creditedMicros', p_credit::text, 'requestedMicros', v_payment.requested_micros::text, 'balanceMicros', balance_micros::text,
    'debtPaidMicros', v_given.debt_paid::text, 'currency', v_payment.currency, 'provider', v_payment.provider, 'bonusMicros', v_bonus.bonus::text,
    'bonusMissed', v_bonus.reason)));
  INSERT INTO outbox_jobs (name, payload) VALUES ('orders.finish_intents', jsonb_build_object('userId', v_payment.user_id));
  outcome := 'credited';
END $$;

-- Takes back the share of a payment's bonus that belongs to what goes back of the payment (p_amount of its credit), as far as it is still there: a
-- gift that was spent is not chased. Under the return's own id, once. The caller holds the payment's row. Returns what was taken.
CREATE FUNCTION take_bonus_back(p_payment_id text, p_return_id text, p_amount bigint, p_happened_at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_payment payments; v_use promotion_uses; v_account text; v_gift bigint; v_taken bigint; v_part text;
BEGIN
  SELECT * INTO v_payment FROM payments p WHERE p.id = p_payment_id;
  IF v_payment.promotion_id IS NULL OR v_payment.credited_micros IS NULL THEN RETURN 0; END IF;
  v_account := ledger_account(v_payment.user_id, 'customer_balance', v_payment.currency);
  SELECT a.gift_micros INTO v_gift FROM ledger_accounts a WHERE a.id = v_account FOR NO KEY UPDATE;
  SELECT * INTO v_use FROM promotion_uses u WHERE u.subject_kind = 'payment' AND u.subject_id = p_payment_id AND u.state = 'consumed' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 0; END IF;
  v_taken := least(v_gift, v_use.amount_micros - v_use.returned_micros, trunc(v_use.amount_micros::numeric * p_amount / v_payment.credited_micros)::bigint);
  IF v_taken <= 0 THEN RETURN 0; END IF;
  SELECT p.outcome INTO v_part FROM ledger_post('bonus_back:' || p_return_id, v_account, ledger_account('shop', 'promotions', v_payment.currency), v_taken,
    v_payment.currency, 'promotion', v_use.id, NULL, p_happened_at, v_taken) p;
  IF v_part = 'repeated' THEN RETURN v_taken; END IF;
  IF v_part <> 'posted' THEN RAISE EXCEPTION 'bonus back for % was %', p_return_id, v_part; END IF;
  UPDATE promotion_uses SET returned_micros = returned_micros + v_taken WHERE id = v_use.id;
  INSERT INTO payment_events (payment_id, kind, data) VALUES (p_payment_id, 'bonus_back', jsonb_build_object('amountMicros', v_taken::text));
  RETURN v_taken;
END $$;

-- Gives again what take_bonus_back took for a return that came to nothing: a refund that failed, a dispute that was won. Once.
CREATE FUNCTION give_bonus_again(p_payment_id text, p_return_id text, p_happened_at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_taken ledger_transfers; v_user text; v_given record;
BEGIN
  SELECT * INTO v_taken FROM ledger_transfers t WHERE t.key = 'bonus_back:' || p_return_id;
  IF NOT FOUND THEN RETURN 0; END IF;
  SELECT p.user_id INTO v_user FROM payments p WHERE p.id = p_payment_id;
  SELECT * INTO v_given FROM ledger_give('bonus_again:' || p_return_id, v_taken.to_account_id, v_user, v_taken.amount_micros, v_taken.currency, 'promotion',
    v_taken.source_id, p_happened_at);
  IF v_given.outcome <> 'posted' THEN RETURN 0; END IF;
  UPDATE promotion_uses SET returned_micros = returned_micros - v_taken.amount_micros WHERE id = v_taken.source_id;
  INSERT INTO payment_events (payment_id, kind, data) VALUES (p_payment_id, 'bonus_again', jsonb_build_object('amountMicros', v_taken.amount_micros::text));
  RETURN v_taken.amount_micros;
END $$;

-- Turns a voucher into money on a balance, once for ever. Locks the voucher, and its batch against being withdrawn meanwhile. Outcome: 'redeemed' | 'repeated'
-- (by the same person) | 'not_valid', one word for unknown, another's, over and withdrawn.
CREATE FUNCTION redeem_voucher(p_digests text[], p_user_id text, p_currency text, p_at timestamptz, OUT outcome text, OUT voucher_id text, OUT amount bigint, OUT balance bigint)
LANGUAGE plpgsql AS $$
DECLARE v_voucher vouchers; v_batch voucher_batches; v_given record;
BEGIN
  outcome := 'not_valid';
  SELECT * INTO v_voucher FROM vouchers v WHERE v.digest = ANY (p_digests) FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO v_batch FROM voucher_batches b WHERE b.id = v_voucher.batch_id FOR SHARE;
  IF v_voucher.redeemed_by = p_user_id THEN
    outcome := 'repeated'; voucher_id := v_voucher.id; amount := v_batch.amount_micros; RETURN;
  END IF;
  IF v_voucher.redeemed_by IS NOT NULL OR v_batch.withdrawn_at IS NOT NULL OR v_batch.ends_at <= p_at OR v_batch.currency <> p_currency THEN RETURN; END IF;
  UPDATE vouchers SET redeemed_by = p_user_id, redeemed_at = p_at WHERE id = v_voucher.id;
  SELECT * INTO v_given FROM ledger_give('voucher:' || v_voucher.id, ledger_account('shop', 'promotions', p_currency), p_user_id, v_batch.amount_micros, p_currency,
    'promotion', v_voucher.id, p_at);
  IF v_given.outcome <> 'posted' THEN RAISE EXCEPTION 'voucher % was %', v_voucher.id, v_given.outcome; END IF;
  INSERT INTO audit_entries (id, actor_kind, actor_id, action, subject_kind, subject_id, data)
  VALUES (new_id('aud'), 'user', p_user_id, 'promotions.voucher_redeemed', 'voucher', v_voucher.id, jsonb_build_object('amountMicros', v_batch.amount_micros::text, 'batchId', v_batch.id));
  INSERT INTO outbox_jobs (name, payload) VALUES ('orders.finish_intents', jsonb_build_object('userId', p_user_id));
  outcome := 'redeemed'; voucher_id := v_voucher.id; amount := v_batch.amount_micros; balance := v_given.balance;
END $$;
