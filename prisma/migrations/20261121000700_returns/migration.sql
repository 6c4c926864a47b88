-- Money that goes back: refunds, chargebacks, and the debt that a chargeback may leave. And payments asked for in another currency.
SET lock_timeout = '5s';

-- What the provider was asked to take, in its currency: a credit is the quoted amount in proportion to what came of it.
ALTER TABLE payments ADD COLUMN charge_micros bigint, ADD COLUMN charge_currency text;
UPDATE payments SET charge_micros = requested_micros, charge_currency = currency;
ALTER TABLE payments
  ALTER COLUMN charge_micros SET NOT NULL,
  ALTER COLUMN charge_currency SET NOT NULL,
  ADD CONSTRAINT charge_is_positive CHECK (charge_micros > 0),
  ADD CONSTRAINT charge_is_the_request_in_its_own_currency CHECK (charge_currency <> currency OR charge_micros = requested_micros);

CREATE TABLE "payment_refunds" (
    "id" TEXT NOT NULL,
    "payment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "request_key" TEXT NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "charge_micros" BIGINT NOT NULL,
    "state" TEXT NOT NULL,
    "provider_refund_id" TEXT,
    "reason" TEXT,
    "requested_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "payment_refunds_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "payment_refunds_payment_id_request_key_key" ON "payment_refunds"("payment_id", "request_key");
CREATE INDEX "payment_refunds_state_created_at_idx" ON "payment_refunds"("state", "created_at");
ALTER TABLE "payment_refunds" ADD CONSTRAINT "payment_refunds_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "payment_refunds"
  ADD CONSTRAINT state_is_known CHECK (state IN ('sending', 'manual', 'done', 'failed')),
  ADD CONSTRAINT amounts_are_positive CHECK (amount_micros > 0 AND charge_micros > 0),
  ADD CONSTRAINT ended_has_a_time CHECK ((state IN ('done', 'failed')) = (ended_at IS NOT NULL));

CREATE TABLE "payment_disputes" (
    "id" TEXT NOT NULL,
    "payment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "provider_dispute_id" TEXT NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "charge_micros" BIGINT NOT NULL,
    "debt_micros" BIGINT NOT NULL,
    "state" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "payment_disputes_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "payment_disputes_payment_id_provider_dispute_id_key" ON "payment_disputes"("payment_id", "provider_dispute_id");
CREATE INDEX "payment_disputes_state_opened_at_idx" ON "payment_disputes"("state", "opened_at");
ALTER TABLE "payment_disputes" ADD CONSTRAINT "payment_disputes_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "payment_disputes"
  ADD CONSTRAINT state_is_known CHECK (state IN ('open', 'won', 'lost')),
  ADD CONSTRAINT amounts_make_sense CHECK (amount_micros > 0 AND charge_micros > 0 AND debt_micros BETWEEN 0 AND amount_micros);

-- An order that may have been bought with money a bank took back: a person decides whether it goes on.
CREATE TABLE "disputed_orders" (
    "dispute_id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "reason" TEXT,
    "decided_by" TEXT,
    "decided_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "disputed_orders_pkey" PRIMARY KEY ("dispute_id", "order_id")
);
CREATE INDEX "disputed_orders_state_created_at_idx" ON "disputed_orders"("state", "created_at");
CREATE INDEX "disputed_orders_order_id_idx" ON "disputed_orders"("order_id");
ALTER TABLE "disputed_orders" ADD CONSTRAINT state_is_known CHECK (state IN ('waiting', 'kept', 'withdrawn'));

-- An order whose proxies were taken back keeps its money: the hold stays captured, the row says why.
ALTER TABLE orders DROP CONSTRAINT state_is_known,
  ADD CONSTRAINT state_is_known CHECK (state IN ('placed', 'delivering', 'unknown', 'active', 'failed', 'withdrawn'));

-- The ledger: one more guarded kind. A debt is the mirror of a balance: locked and chained the same, never above zero.
ALTER TABLE ledger_accounts DROP CONSTRAINT guarded_never_below_zero,
  ADD CONSTRAINT guarded_stays_on_its_side CHECK (
    NOT is_guarded OR CASE kind WHEN 'customer_debt' THEN balance_micros <= 0 ELSE balance_micros >= 0 END);
ALTER TABLE ledger_entries DROP CONSTRAINT chain_is_whole,
  ADD CONSTRAINT chain_is_whole CHECK (
    (balance_before_micros IS NULL AND balance_after_micros IS NULL AND account_version IS NULL)
    OR (balance_after_micros = balance_before_micros + amount_micros AND account_version > 0));

CREATE OR REPLACE FUNCTION ledger_account(p_owner text, p_kind text, p_currency text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_id text;
BEGIN
  SELECT id INTO v_id FROM ledger_accounts WHERE owner = p_owner AND kind = p_kind AND currency = p_currency;
  IF v_id IS NULL THEN
    INSERT INTO ledger_accounts (id, owner, kind, currency, is_guarded)
    VALUES (new_id('acc'), p_owner, p_kind, p_currency, p_kind IN ('customer_balance', 'customer_debt', 'referral_payable'))
    ON CONFLICT (owner, kind, currency) DO NOTHING;
    -- whoever won the race has committed by now: the conflict waited for it
    SELECT id INTO v_id FROM ledger_accounts WHERE owner = p_owner AND kind = p_kind AND currency = p_currency;
  END IF;
  RETURN v_id;
END $$;

-- As before, and: 'more_than_owed' when a debt would rise above zero. Who touches a customer's balance and debt in one transaction locks the
-- balance first, always; the ids would order them at random.
CREATE OR REPLACE FUNCTION ledger_post(
  p_key text, p_from text, p_to text, p_amount bigint, p_currency text, p_source_kind text, p_source_id text,
  p_reverses text, p_happened_at timestamptz,
  OUT outcome text, OUT transfer_id text, OUT from_balance bigint, OUT to_balance bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_account record; v_old record; v_from_guarded boolean; v_to_guarded boolean; v_from_version bigint; v_to_version bigint;
  v_may_fall boolean := false; v_is_debt_paid boolean := false;
BEGIN
  -- Without FOR UPDATE's strength: foreign keys of new entries take KEY SHARE on these rows.
  FOR v_account IN
    SELECT id, kind, currency, is_guarded, balance_micros, version FROM ledger_accounts WHERE id IN (p_from, p_to) AND is_guarded
    ORDER BY id FOR NO KEY UPDATE
  LOOP
    IF v_account.currency <> p_currency THEN RAISE EXCEPTION 'account % is not kept in %', v_account.id, p_currency; END IF;
    IF v_account.id = p_from THEN
      v_from_guarded := true; from_balance := v_account.balance_micros; v_from_version := v_account.version;
      v_may_fall := v_account.kind = 'customer_debt';
    ELSE
      v_to_guarded := true; to_balance := v_account.balance_micros; v_to_version := v_account.version;
      v_is_debt_paid := v_account.kind = 'customer_debt';
    END IF;
  END LOOP;

  transfer_id := new_id('trf');
  -- The key is looked up after the lock, so that of two equal postings at once the second sees the first. Postings that share a key but no
  -- guarded account stand in no line: there the unique key makes the second wait, insert nothing, and look again.
  LOOP
    SELECT t.id, t.from_account_id, t.to_account_id, t.amount_micros, t.currency, t.source_kind, t.source_id INTO v_old
    FROM ledger_transfers t WHERE t.key = p_key;
    IF FOUND THEN
      transfer_id := v_old.id;
      outcome := CASE WHEN (v_old.from_account_id, v_old.to_account_id, v_old.amount_micros, v_old.currency, v_old.source_kind, v_old.source_id)
        = (p_from, p_to, p_amount, p_currency, p_source_kind, p_source_id) THEN 'repeated' ELSE 'key_reused' END;
      RETURN;
    END IF;
    IF v_from_guarded AND NOT v_may_fall AND from_balance < p_amount THEN
      transfer_id := NULL;
      outcome := 'insufficient_balance';
      RETURN;
    END IF;
    IF v_is_debt_paid AND to_balance + p_amount > 0 THEN
      transfer_id := NULL;
      outcome := 'more_than_owed';
      RETURN;
    END IF;
    INSERT INTO ledger_transfers (id, key, from_account_id, to_account_id, amount_micros, currency, source_kind, source_id, reverses_transfer_id, happened_at)
    VALUES (transfer_id, p_key, p_from, p_to, p_amount, p_currency, p_source_kind, p_source_id, p_reverses, p_happened_at)
    ON CONFLICT (key) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  INSERT INTO ledger_entries (transfer_id, account_id, amount_micros, balance_before_micros, balance_after_micros, account_version) VALUES
    (transfer_id, p_from, -p_amount, CASE WHEN v_from_guarded THEN from_balance END, CASE WHEN v_from_guarded THEN from_balance - p_amount END, v_from_version + 1),
    (transfer_id, p_to, p_amount, CASE WHEN v_to_guarded THEN to_balance END, CASE WHEN v_to_guarded THEN to_balance + p_amount END, v_to_version + 1);
  IF v_from_guarded THEN
    UPDATE ledger_accounts SET balance_micros = balance_micros - p_amount, version = version + 1 WHERE id = p_from;
    from_balance := from_balance - p_amount;
  END IF;
  IF v_to_guarded THEN
    UPDATE ledger_accounts SET balance_micros = balance_micros + p_amount, version = version + 1 WHERE id = p_to;
    to_balance := to_balance + p_amount;
  END IF;
  outcome := 'posted';
END $$;

-- What a customer owes, as a positive amount; 0 without a debt.
CREATE FUNCTION ledger_debt(p_owner text, p_currency text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT -a.balance_micros FROM ledger_accounts a WHERE a.owner = p_owner AND a.kind = 'customer_debt' AND a.currency = p_currency), 0)
$$;

-- Gives a customer money under a fact's key; what they owe is paid from it first, by a transfer of its own (`debt_paid:<key>`), so that the statement
-- shows both. `balance` is the customer's after it. Outcome: as ledger_post.
CREATE FUNCTION ledger_give(p_key text, p_from text, p_owner text, p_amount bigint, p_currency text, p_source_kind text, p_source_id text,
  p_happened_at timestamptz, OUT outcome text, OUT balance bigint, OUT debt_paid bigint) LANGUAGE plpgsql AS $$
DECLARE v_account text := ledger_account(p_owner, 'customer_balance', p_currency); v_part text;
BEGIN
  debt_paid := 0;
  SELECT p.outcome, p.to_balance INTO outcome, balance
  FROM ledger_post(p_key, p_from, v_account, p_amount, p_currency, p_source_kind, p_source_id, NULL, p_happened_at) p;
  IF outcome <> 'posted' THEN RETURN; END IF;
  debt_paid := least(balance, ledger_debt(p_owner, p_currency));
  IF debt_paid > 0 THEN
    SELECT p.outcome, p.from_balance INTO v_part, balance FROM ledger_post('debt_paid:' || p_key, v_account,
      ledger_account(p_owner, 'customer_debt', p_currency), debt_paid, p_currency, p_source_kind, p_source_id, NULL, p_happened_at) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'debt of % was %', p_owner, v_part; END IF;
  END IF;
END $$;

-- Takes money back from a customer under a fact's key, whether they still have it or not: what the balance lacks becomes a debt (`<key>`
-- from the balance, `debt:<key>` from the debt). The caller has made sure, under a lock, that this fact is booked once.
CREATE FUNCTION ledger_take(p_key text, p_owner text, p_to text, p_amount bigint, p_currency text, p_source_kind text, p_source_id text,
  p_happened_at timestamptz, OUT taken bigint, OUT owed bigint, OUT balance bigint) LANGUAGE plpgsql AS $$
DECLARE v_account text := ledger_account(p_owner, 'customer_balance', p_currency); v_part text;
BEGIN
  SELECT a.balance_micros INTO balance FROM ledger_accounts a WHERE a.id = v_account FOR NO KEY UPDATE;
  taken := least(balance, p_amount);
  owed := p_amount - taken;
  IF taken > 0 THEN
    SELECT p.outcome, p.from_balance INTO v_part, balance
    FROM ledger_post(p_key, v_account, p_to, taken, p_currency, p_source_kind, p_source_id, NULL, p_happened_at) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'taking % was %', p_key, v_part; END IF;
  END IF;
  IF owed > 0 THEN
    SELECT p.outcome INTO v_part FROM ledger_post('debt:' || p_key, ledger_account(p_owner, 'customer_debt', p_currency), p_to, owed, p_currency,
      p_source_kind, p_source_id, NULL, p_happened_at) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'debt for % was %', p_key, v_part; END IF;
  END IF;
END $$;

-- As before; a debt is paid first.
CREATE OR REPLACE FUNCTION credit_payment(p_payment_id text, p_provider_payment_id text, p_received bigint, p_credit bigint, p_happened_at timestamptz,
  OUT outcome text, OUT balance_micros bigint) LANGUAGE plpgsql AS $$
DECLARE v_payment payments; v_given record;
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
  PERFORM queue_user_email('receipt:' || p_payment_id, v_payment.user_id, 'top_up_receipt', jsonb_build_object(
    'paymentId', p_payment_id, 'creditedMicros', p_credit::text, 'requestedMicros', v_payment.requested_micros::text, 'balanceMicros', balance_micros::text,
    'debtPaidMicros', v_given.debt_paid::text, 'currency', v_payment.currency, 'provider', v_payment.provider));
  INSERT INTO outbox_jobs (name, payload) VALUES ('orders.finish_intents', jsonb_build_object('userId', v_payment.user_id));
  outcome := 'credited';
END $$;

-- Places an order: holds the money, reserves stock where the offer is stock, promises the delivery. All or nothing, in one round trip.
-- Locks the customer's account first, so that purchases of one customer stand in line; then free units, skipping those others hold.
-- Outcome: 'placed' | 'repeated' (same request key, same content) | 'key_reused' | 'plan_changed' (revision, plan, product or offer is no
-- longer what was priced) | 'intent_closed' (the key is a waiting choice that was taken back) | 'in_debt' (available = what is owed) | 'insufficient_balance' (available = balance) | 'sold_out' (available = pieces seen free). Only 'placed' writes.
CREATE OR REPLACE FUNCTION place_order(
  p_order_id text, p_user_id text, p_request_key text, p_plan_id text, p_plan_revision int, p_offer_id text, p_is_stock boolean,
  p_product_kind text, p_country_code text, p_period_days int, p_quantity int, p_unit_price bigint, p_discount bigint, p_total bigint, p_currency text,
  OUT outcome text, OUT order_id text, OUT available bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_account text; v_units text[]; v_old record; v_now timestamptz := clock_timestamp(); v_held text; v_intent text; v_debt bigint;
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
    SELECT i.state INTO v_intent FROM order_intents i WHERE i.id = p_request_key AND i.user_id = p_user_id FOR UPDATE;
    IF v_intent <> 'waiting' THEN outcome := 'intent_closed'; RETURN; END IF;
  END IF;

  PERFORM 1 FROM plans pl JOIN products pr ON pr.id = pl.product_id JOIN offers f ON f.plan_id = pl.id
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

  INSERT INTO orders (id, user_id, request_key, plan_id, plan_revision, product_kind, offer_id, country_code, period_days, quantity,
                      unit_price_micros, discount_micros, total_micros, currency, state, placed_at)
  VALUES (p_order_id, p_user_id, p_request_key, p_plan_id, p_plan_revision, p_product_kind, p_offer_id, p_country_code, p_period_days, p_quantity,
          p_unit_price, p_discount, p_total, p_currency, 'placed', v_now);
  SELECT h.outcome INTO v_held FROM ledger_hold(p_order_id, v_account, p_total, p_currency, 'order', v_now) h;
  IF v_held <> 'posted' THEN RAISE EXCEPTION 'hold of % was %', p_order_id, v_held; END IF;
  IF p_is_stock THEN
    UPDATE stock_units SET state = 'reserved', order_id = p_order_id WHERE id = ANY (v_units);
  END IF;
  IF v_intent IS NOT NULL THEN
    UPDATE order_intents SET state = 'placed', order_id = p_order_id WHERE id = p_request_key;
  END IF;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'placed', jsonb_build_object('heldMicros', p_total::text));
  INSERT INTO outbox_jobs (name, payload) VALUES ('provisioning.deliver', jsonb_build_object('orderId', p_order_id));
  order_id := p_order_id;
  outcome := 'placed';
END $$;


-- Ends an order well: hands over the proxies, takes the money for what was handed over, gives back the rest, tells the customer.
-- p_proxies null: the units reserved from stock; else [{supplierRef, host, port, username, password, protocols, expiresAt?}].
-- Locks the order row; whoever comes second finds it ended. Outcome: 'delivered' | 'already_ended' | 'not_found' | 'nothing_to_deliver'.
CREATE OR REPLACE FUNCTION complete_delivery(p_order_id text, p_delivery_id text, p_supplier_order_id text, p_cost bigint, p_cost_currency text, p_proxies jsonb,
  OUT outcome text, OUT delivered int) LANGUAGE plpgsql AS $$
DECLARE
  v_order orders; v_now timestamptz := clock_timestamp(); v_expires timestamptz; v_captured bigint; v_settled record;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state IN ('active', 'failed', 'withdrawn') THEN outcome := 'already_ended'; RETURN; END IF;
  v_expires := v_now + make_interval(days => v_order.period_days);

  IF p_proxies IS NULL THEN
    WITH sold AS (
      UPDATE stock_units SET state = 'sold', sold_at = v_now WHERE order_id = p_order_id AND state = 'reserved'
      RETURNING id, rank, host, port, username, password, protocols
    )
    INSERT INTO allocations (id, order_id, user_id, position, supplier_ref, host, port, username, password, protocols, country_code, expires_at)
    SELECT new_id('alc'), p_order_id, v_order.user_id, row_number() OVER (ORDER BY rank), id, host, port, username, password, protocols,
           v_order.country_code, v_expires FROM sold;
  ELSE
    INSERT INTO allocations (id, order_id, user_id, position, supplier_ref, host, port, username, password, protocols, country_code, expires_at)
    SELECT new_id('alc'), p_order_id, v_order.user_id, ordinality, p ->> 'supplierRef', p ->> 'host', (p ->> 'port')::int, p ->> 'username', p ->> 'password',
           ARRAY(SELECT jsonb_array_elements_text(p -> 'protocols')), v_order.country_code, coalesce((p ->> 'expiresAt')::timestamptz, v_expires)
    FROM jsonb_array_elements(p_proxies) WITH ORDINALITY AS x(p, ordinality) WHERE ordinality <= v_order.quantity;
    SELECT least(v_expires, min(expires_at)) INTO v_expires FROM allocations WHERE order_id = p_order_id;
  END IF;
  GET DIAGNOSTICS delivered = ROW_COUNT;
  SELECT count(*) INTO delivered FROM allocations WHERE order_id = p_order_id;
  IF delivered = 0 THEN outcome := 'nothing_to_deliver'; RETURN; END IF;

  -- For fewer pieces than ordered, the customer pays their share, rounded down.
  v_captured := v_order.total_micros * delivered / v_order.quantity;
  SELECT * INTO v_settled FROM ledger_settle_hold(p_order_id, v_captured, 'revenue:' || v_order.product_kind, 'order', v_now);
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_order_id, v_settled.outcome; END IF;

  UPDATE orders SET state = 'active', delivered_at = v_now, expires_at = v_expires WHERE id = p_order_id;
  IF p_delivery_id IS NOT NULL THEN
    UPDATE deliveries SET state = 'delivered', supplier_order_id = p_supplier_order_id, cost_micros = p_cost, cost_currency = p_cost_currency, ended_at = v_now
    WHERE id = p_delivery_id;
  END IF;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'delivered',
    jsonb_build_object('delivered', delivered, 'ordered', v_order.quantity, 'capturedMicros', v_settled.captured::text, 'releasedMicros', v_settled.released::text));
  PERFORM queue_user_email('delivered:' || p_order_id, v_order.user_id, 'order_delivered', jsonb_build_object(
    'orderId', p_order_id, 'quantity', delivered, 'ordered', v_order.quantity, 'totalMicros', v_settled.captured::text,
    'refundedMicros', v_settled.released::text, 'currency', v_order.currency, 'expiresAt', to_char(v_expires AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
  outcome := 'delivered';
END $$;

-- Ends an order badly: the whole hold goes back to the customer, reserved units become free, the customer is told.
-- Locks the order row. Outcome: 'failed' | 'already_ended' | 'not_found'.
CREATE OR REPLACE FUNCTION fail_order(p_order_id text, p_reason text, OUT outcome text, OUT released bigint) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_settled record;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state IN ('active', 'failed', 'withdrawn') THEN outcome := 'already_ended'; RETURN; END IF;
  SELECT * INTO v_settled FROM ledger_settle_hold(p_order_id, 0, 'revenue:' || v_order.product_kind, 'order', v_now);
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_order_id, v_settled.outcome; END IF;
  released := v_settled.released;
  UPDATE stock_units SET state = 'free', order_id = NULL WHERE order_id = p_order_id AND state = 'reserved';
  UPDATE orders SET state = 'failed', failure = p_reason WHERE id = p_order_id;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'failed', jsonb_build_object('reason', p_reason, 'releasedMicros', released::text));
  PERFORM queue_user_email('failed:' || p_order_id, v_order.user_id, 'order_failed', jsonb_build_object(
    'orderId', p_order_id, 'refundedMicros', released::text, 'currency', v_order.currency, 'reason', p_reason));
  outcome := 'failed';
END $$;
