-- The life of an order after it was handed over: renewals, grace, expiry, and what is given back or exchanged by the rules of its day.
SET lock_timeout = '5s';

CREATE TABLE "product_policies" (
    "id" TEXT NOT NULL,
    "product_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "rules" JSONB NOT NULL,
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "product_policies_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "product_policies_product_id_version_key" ON "product_policies"("product_id", "version");
ALTER TABLE "product_policies" ADD CONSTRAINT "product_policies_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
-- What was promised stays as it was written: a change is a new version.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON product_policies FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE products ADD COLUMN policy_id text;

ALTER TABLE orders
  ADD COLUMN policy_id text,
  ADD COLUMN auto_renew boolean NOT NULL DEFAULT false,
  ADD COLUMN renew_period_days int,
  ADD COLUMN renew_unit_micros bigint,
  ADD COLUMN due_at timestamptz(3),
  ADD COLUMN look_at timestamptz(3),
  ADD COLUMN retry_at timestamptz(3),
  DROP CONSTRAINT state_is_known,
  ADD CONSTRAINT state_is_known CHECK (state IN ('placed', 'delivering', 'unknown', 'active', 'in_grace', 'expired', 'cancelled', 'refunded', 'failed', 'withdrawn')),
  ADD CONSTRAINT auto_renew_has_its_terms CHECK (NOT auto_renew OR (renew_period_days > 0 AND renew_unit_micros > 0)),
  ADD CONSTRAINT live_is_looked_at CHECK (state NOT IN ('active', 'in_grace') OR (due_at IS NOT NULL AND look_at IS NOT NULL)) NOT VALID;

ALTER TABLE allocations
  ADD COLUMN state text NOT NULL DEFAULT 'active',
  ADD COLUMN offer_id text,
  ADD COLUMN delivery_id text,
  ADD COLUMN grace_until timestamptz(3),
  ADD COLUMN granted_bytes bigint,
  ADD COLUMN used_bytes bigint,
  ADD CONSTRAINT state_is_known CHECK (state IN ('active', 'in_grace', 'expired', 'replaced', 'withdrawn', 'refunded')),
  ADD CONSTRAINT grace_has_an_end CHECK ((state = 'in_grace') <= (grace_until IS NOT NULL)),
  ADD CONSTRAINT traffic_is_not_negative CHECK (granted_bytes > 0 AND used_bytes >= 0);
ALTER TABLE allocations SET (fillfactor = 85);

UPDATE allocations a SET offer_id = o.offer_id,
  delivery_id = (SELECT d.id FROM deliveries d WHERE d.order_id = o.id AND d.state = 'delivered'),
  state = CASE WHEN o.state = 'withdrawn' THEN 'withdrawn' WHEN a.expires_at <= now() THEN 'expired' ELSE 'active' END
FROM orders o WHERE o.id = a.order_id;
ALTER TABLE allocations ALTER COLUMN offer_id SET NOT NULL;
UPDATE orders o SET state = CASE WHEN l.live = 0 THEN 'expired' ELSE o.state END, due_at = l.due_at, look_at = l.due_at
FROM (SELECT order_id, count(*) FILTER (WHERE state = 'active') AS live, min(expires_at) FILTER (WHERE state = 'active') AS due_at FROM allocations GROUP BY order_id) l
WHERE l.order_id = o.id AND o.state = 'active';
ALTER TABLE orders VALIDATE CONSTRAINT live_is_looked_at;

CREATE INDEX "orders_due" ON "orders"("due_at", "id") WHERE auto_renew AND state = ANY (ARRAY['active'::text, 'in_grace'::text]);
CREATE INDEX "orders_look" ON "orders"("look_at", "id") WHERE state = ANY (ARRAY['active'::text, 'in_grace'::text]);

CREATE TABLE "renewals" (
    "id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "allocation_ids" TEXT[],
    "plan_revision" INTEGER NOT NULL,
    "period_days" INTEGER NOT NULL,
    "quantity" INTEGER NOT NULL,
    "unit_price_micros" BIGINT NOT NULL,
    "discount_micros" BIGINT NOT NULL,
    "total_micros" BIGINT NOT NULL,
    "captured_micros" BIGINT NOT NULL DEFAULT 0,
    "currency" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "failure" TEXT,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "renewals_pkey" PRIMARY KEY ("id")
);
-- Never twice: an automatic renewal's key is the end that it follows, a manual one's is the form it was sent from.
CREATE UNIQUE INDEX "renewals_order_id_key_key" ON "renewals"("order_id", "key");
CREATE INDEX "renewals_user_id_created_at_idx" ON "renewals"("user_id", "created_at");
CREATE INDEX "renewals_state_created_at_idx" ON "renewals"("state", "created_at");
CREATE UNIQUE INDEX "one_open_renewal_per_order" ON "renewals"("order_id") WHERE state = 'held';
ALTER TABLE "renewals" ADD CONSTRAINT "renewals_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE renewals
  ADD CONSTRAINT state_is_known CHECK (state IN ('held', 'done', 'failed')),
  ADD CONSTRAINT amounts_make_sense CHECK (quantity > 0 AND period_days > 0 AND total_micros > 0 AND discount_micros >= 0
    AND unit_price_micros * quantity - discount_micros = total_micros AND captured_micros BETWEEN 0 AND total_micros),
  ADD CONSTRAINT ended_has_a_time CHECK ((state = 'held') = (ended_at IS NULL)),
  ADD CONSTRAINT names_its_proxies CHECK (cardinality(allocation_ids) > 0);

-- One call at a supplier for a renewal: the proxies of one order there.
CREATE TABLE "renewal_runs" (
    "id" TEXT NOT NULL,
    "renewal_id" TEXT NOT NULL,
    "supplier" TEXT NOT NULL,
    "offer_id" TEXT NOT NULL,
    "supplier_order_id" TEXT,
    "allocation_ids" TEXT[],
    "state" TEXT NOT NULL,
    "refusal" TEXT,
    "cost_micros" BIGINT,
    "cost_currency" TEXT,
    "renewed" JSONB NOT NULL DEFAULT '[]',
    "lookups" INTEGER NOT NULL DEFAULT 0,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "renewal_runs_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "renewal_runs_renewal_id_idx" ON "renewal_runs"("renewal_id");
CREATE INDEX "renewal_runs_state_started_at_idx" ON "renewal_runs"("state", "started_at");
ALTER TABLE "renewal_runs" ADD CONSTRAINT "renewal_runs_renewal_id_fkey" FOREIGN KEY ("renewal_id") REFERENCES "renewals"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE renewal_runs ADD CONSTRAINT state_is_known CHECK (state IN ('calling', 'unknown', 'done', 'refused'));

-- Old proxy, new proxy, and why: for ever.
CREATE TABLE "replacements" (
    "id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "old_allocation_id" TEXT NOT NULL,
    "new_allocation_id" TEXT,
    "key" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "asked_by" TEXT,
    "state" TEXT NOT NULL,
    "outcome" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "replacements_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "replacements_order_id_key_key" ON "replacements"("order_id", "key");
CREATE UNIQUE INDEX "replacements_new_allocation_id_key" ON "replacements"("new_allocation_id");
CREATE UNIQUE INDEX "one_replacement_per_proxy" ON "replacements"("old_allocation_id") WHERE state <> 'refused';
CREATE INDEX "replacements_created_at_idx" ON "replacements"("created_at");
ALTER TABLE "replacements" ADD CONSTRAINT "replacements_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE replacements
  ADD CONSTRAINT state_is_known CHECK (state IN ('open', 'replaced', 'credited', 'refused')),
  ADD CONSTRAINT replaced_names_the_new CHECK ((state = 'replaced') = (new_allocation_id IS NOT NULL)),
  ADD CONSTRAINT ended_has_a_time CHECK ((state = 'open') = (ended_at IS NULL));

-- Money given back for an order, each part with its cause. Never edited.
CREATE TABLE "order_credits" (
    "id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "allocation_ids" TEXT[],
    "evidence" JSONB NOT NULL DEFAULT '{}',
    "given_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "order_credits_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "order_credits_order_id_key_key" ON "order_credits"("order_id", "key");
CREATE INDEX "order_credits_user_id_created_at_idx" ON "order_credits"("user_id", "created_at");
ALTER TABLE "order_credits" ADD CONSTRAINT "order_credits_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE order_credits
  ADD CONSTRAINT cause_is_known CHECK (cause IN ('refund', 'not_replaced', 'downtime', 'late')),
  ADD CONSTRAINT amount_is_positive CHECK (amount_micros > 0);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON order_credits FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Tells an order's state and times from its proxies. The caller holds the order's row.
CREATE FUNCTION refresh_order(p_order_id text) RETURNS void LANGUAGE sql AS $$
  UPDATE orders o SET
    state = CASE WHEN a.active > 0 THEN 'active' WHEN a.in_grace > 0 THEN 'in_grace' WHEN a.expired > 0 THEN 'expired'
                 WHEN a.refunded > 0 THEN 'refunded' ELSE 'withdrawn' END,
    expires_at = coalesce(a.ends_at, o.expires_at),
    due_at = a.due_at,
    look_at = a.look_at
  FROM (SELECT count(*) FILTER (WHERE state = 'active') AS active, count(*) FILTER (WHERE state = 'in_grace') AS in_grace,
               count(*) FILTER (WHERE state = 'expired') AS expired, count(*) FILTER (WHERE state = 'refunded') AS refunded,
               min(expires_at) FILTER (WHERE state IN ('active', 'in_grace')) AS due_at,
               max(expires_at) FILTER (WHERE state IN ('active', 'in_grace')) AS ends_at,
               min(CASE state WHEN 'active' THEN expires_at WHEN 'in_grace' THEN grace_until END) AS look_at
        FROM allocations WHERE order_id = p_order_id) a
  WHERE o.id = p_order_id
$$;

-- What a purchase at a supplier cost us, in its currency: from what lies there to the cost of what we sold. Null or nothing: not booked.
CREATE FUNCTION book_supplier_cost(p_run_id text, p_supplier text, p_product_kind text, p_cost bigint, p_currency text, p_order_id text, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_part text;
BEGIN
  IF p_cost IS NULL OR p_cost <= 0 OR p_currency IS NULL THEN RETURN; END IF;
  SELECT p.outcome INTO v_part FROM ledger_post('cost:' || p_run_id, ledger_account('shop', 'supplier_prepaid:' || p_supplier, p_currency),
    ledger_account('shop', 'supplier_cost:' || p_product_kind, p_currency), p_cost, p_currency, 'order', p_order_id, NULL, p_at) p;
  IF v_part NOT IN ('posted', 'repeated') THEN RAISE EXCEPTION 'cost of % was %', p_run_id, v_part; END IF;
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
  v_account text; v_units text[]; v_old record; v_now timestamptz := clock_timestamp(); v_held text; v_intent text; v_debt bigint; v_policy text;
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

  INSERT INTO orders (id, user_id, request_key, plan_id, plan_revision, product_kind, offer_id, country_code, period_days, quantity,
                      unit_price_micros, discount_micros, total_micros, currency, state, placed_at, policy_id)
  VALUES (p_order_id, p_user_id, p_request_key, p_plan_id, p_plan_revision, p_product_kind, p_offer_id, p_country_code, p_period_days, p_quantity,
          p_unit_price, p_discount, p_total, p_currency, 'placed', v_now, v_policy);
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
  v_order orders; v_now timestamptz := clock_timestamp(); v_expires timestamptz; v_captured bigint; v_settled record; v_promised timestamptz;
  v_late bigint; v_late_ids text[]; v_late_end timestamptz;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state NOT IN ('placed', 'delivering', 'unknown') THEN outcome := 'already_ended'; RETURN; END IF;
  v_expires := v_now + make_interval(days => v_order.period_days);
  v_promised := v_expires;

  IF p_proxies IS NULL THEN
    WITH sold AS (
      UPDATE stock_units SET state = 'sold', sold_at = v_now WHERE order_id = p_order_id AND state = 'reserved'
      RETURNING id, rank, host, port, username, password, protocols
    )
    INSERT INTO allocations (id, order_id, user_id, position, supplier_ref, host, port, username, password, protocols, country_code, expires_at, offer_id, delivery_id, granted_bytes)
    SELECT new_id('alc'), p_order_id, v_order.user_id, row_number() OVER (ORDER BY rank), id, host, port, username, password, protocols,
           v_order.country_code, v_expires, v_order.offer_id, p_delivery_id, NULL FROM sold;
  ELSE
    INSERT INTO allocations (id, order_id, user_id, position, supplier_ref, host, port, username, password, protocols, country_code, expires_at, offer_id, delivery_id, granted_bytes)
    SELECT new_id('alc'), p_order_id, v_order.user_id, ordinality, p ->> 'supplierRef', p ->> 'host', (p ->> 'port')::int, p ->> 'username', p ->> 'password',
           ARRAY(SELECT jsonb_array_elements_text(p -> 'protocols')), v_order.country_code, coalesce((p ->> 'expiresAt')::timestamptz, v_expires),
           v_order.offer_id, p_delivery_id, (p ->> 'grantedBytes')::bigint
    FROM jsonb_array_elements(p_proxies) WITH ORDINALITY AS x(p, ordinality) WHERE ordinality <= v_order.quantity;
  END IF;
  GET DIAGNOSTICS delivered = ROW_COUNT;
  -- What is sold by the gigabyte comes as one login with that much on it.
  SELECT CASE WHEN bool_or(a.granted_bytes IS NOT NULL) THEN least(v_order.quantity, sum(a.granted_bytes) / 1000000000) ELSE count(*) END
  INTO delivered FROM allocations a WHERE a.order_id = p_order_id;
  IF delivered = 0 THEN outcome := 'nothing_to_deliver'; RETURN; END IF;

  -- For fewer pieces than ordered, the customer pays their share, rounded down.
  v_captured := v_order.total_micros * delivered / v_order.quantity;
  SELECT * INTO v_settled FROM ledger_settle_hold(p_order_id, v_captured, 'revenue:' || v_order.product_kind, 'order', v_now);
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_order_id, v_settled.outcome; END IF;

  UPDATE orders SET delivered_at = v_now, expires_at = v_expires WHERE id = p_order_id;
  PERFORM refresh_order(p_order_id);
  SELECT o.expires_at INTO v_expires FROM orders o WHERE o.id = p_order_id;
  -- A purchase that was found days after it was made has run for that long already: its customer pays for the time that is left.
  SELECT sum(floor(v_settled.captured * extract(epoch FROM v_promised - a.expires_at) / (v_order.period_days::numeric * 86400 * delivered)))::bigint,
         array_agg(a.id), min(a.expires_at) INTO v_late, v_late_ids, v_late_end
  FROM allocations a WHERE a.order_id = p_order_id AND a.granted_bytes IS NULL AND a.expires_at < v_promised - interval '6 hours';
  IF v_late > 0 THEN
    PERFORM credit_order(new_id('ocr'), p_order_id, 'late', 'late', v_late, v_late_ids,
      jsonb_build_object('promisedUntil', v_promised, 'until', v_late_end), NULL);
  END IF;
  IF p_delivery_id IS NOT NULL THEN
    UPDATE deliveries SET state = 'delivered', supplier_order_id = p_supplier_order_id, cost_micros = p_cost, cost_currency = p_cost_currency, ended_at = v_now
    WHERE id = p_delivery_id;
    PERFORM book_supplier_cost(p_delivery_id, d.supplier, v_order.product_kind, p_cost, p_cost_currency, p_order_id, v_now) FROM deliveries d WHERE d.id = p_delivery_id;
  END IF;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'delivered',
    jsonb_build_object('delivered', delivered, 'ordered', v_order.quantity, 'capturedMicros', v_settled.captured::text, 'releasedMicros', v_settled.released::text));
  PERFORM queue_user_email('delivered:' || p_order_id, v_order.user_id, 'order_delivered', jsonb_build_object(
    'orderId', p_order_id, 'quantity', delivered, 'ordered', v_order.quantity, 'totalMicros', v_settled.captured::text,
    'refundedMicros', v_settled.released::text, 'currency', v_order.currency, 'expiresAt', to_char(v_expires AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
  INSERT INTO outbox_jobs (name, payload) VALUES ('checks.check_order', jsonb_build_object('orderId', p_order_id));
  outcome := 'delivered';
END $$;

-- Ends an order badly: the whole hold goes back to the customer, reserved units become free, the customer is told.
-- Locks the order row. Outcome: 'failed' | 'already_ended' | 'not_found'.
CREATE OR REPLACE FUNCTION fail_order(p_order_id text, p_reason text, OUT outcome text, OUT released bigint) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_settled record;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state NOT IN ('placed', 'delivering', 'unknown') THEN outcome := 'already_ended'; RETURN; END IF;
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

-- Takes an order back before anybody works on it: its hold returns, reserved units become free. Outcome: 'cancelled' | 'already_ended'
-- | 'under_way' (a supplier has been called) | 'not_found' (also for somebody else's).
CREATE FUNCTION cancel_order(p_order_id text, p_user_id text, OUT outcome text, OUT released bigint) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_settled record;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id AND o.user_id = p_user_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state NOT IN ('placed', 'delivering', 'unknown') THEN outcome := 'already_ended'; RETURN; END IF;
  IF v_order.state = 'unknown' OR EXISTS (SELECT 1 FROM deliveries d WHERE d.order_id = p_order_id AND d.state IN ('calling', 'unknown')) THEN
    outcome := 'under_way'; RETURN;
  END IF;
  SELECT * INTO v_settled FROM ledger_settle_hold(p_order_id, 0, 'revenue:' || v_order.product_kind, 'order', clock_timestamp());
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_order_id, v_settled.outcome; END IF;
  released := v_settled.released;
  UPDATE stock_units SET state = 'free', order_id = NULL WHERE order_id = p_order_id AND state = 'reserved';
  UPDATE orders SET state = 'cancelled' WHERE id = p_order_id;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'cancelled', jsonb_build_object('releasedMicros', released::text));
  outcome := 'cancelled';
END $$;

-- Mails to many customers, promised in the caller's transaction, each once per key: [{key, userId, template, props}].
CREATE FUNCTION queue_user_emails(p_mails jsonb) RETURNS void LANGUAGE sql AS $$
  WITH added AS (
    INSERT INTO outgoing_emails (id, key, user_id, "to", locale, template, props)
    SELECT new_id('eml'), m.key, u.id, u.email, u.locale, m.template, m.props
    FROM jsonb_to_recordset(p_mails) AS m(key text, "userId" text, template text, props jsonb) JOIN users u ON u.id = m."userId"
    ON CONFLICT (key) DO NOTHING RETURNING id
  )
  INSERT INTO outbox_jobs (name, payload) SELECT 'notifications.send_email', jsonb_build_object('emailId', id) FROM added
$$;

-- Charges many customers in one statement: [{key, owner, amount, toKind, sourceKind, sourceId}], each from the customer's balance to an account of the shop.
-- A customer's charges are taken in their order while their running sum is covered; what is not covered, or meets a debt, is not taken and may
-- still be tried alone. Outcome of each: 'posted' | 'repeated' (the key is there; the caller's keys name one fact each) | 'insufficient_balance' | 'in_debt'.
-- Locks all balances in id order.
CREATE FUNCTION ledger_charge_many(p_charges jsonb, p_currency text, p_happened_at timestamptz) RETURNS TABLE (key text, outcome text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM ledger_account('shop', k.kind, p_currency) FROM (SELECT DISTINCT c ->> 'toKind' AS kind FROM jsonb_array_elements(p_charges) c) k;
  PERFORM 1 FROM ledger_accounts a WHERE a.kind = 'customer_balance' AND a.currency = p_currency
    AND a.owner IN (SELECT c ->> 'owner' FROM jsonb_array_elements(p_charges) c) ORDER BY a.id FOR NO KEY UPDATE;
  RETURN QUERY
  WITH charges AS (
    SELECT c ->> 'key' AS key, c ->> 'owner' AS owner, (c ->> 'amount')::bigint AS amount, c ->> 'toKind' AS to_kind,
           c ->> 'sourceKind' AS source_kind, c ->> 'sourceId' AS source_id, n
    FROM jsonb_array_elements(p_charges) WITH ORDINALITY AS x(c, n)
  ), judged AS (
    SELECT c.*, a.id AS account, t.id AS to_account, a.balance_micros, a.version,
           EXISTS (SELECT 1 FROM ledger_transfers f WHERE f.key = c.key) AS is_known,
           coalesce(d.balance_micros, 0) < 0 AS owes
    FROM charges c
    LEFT JOIN ledger_accounts a ON a.owner = c.owner AND a.kind = 'customer_balance' AND a.currency = p_currency
    LEFT JOIN ledger_accounts d ON d.owner = c.owner AND d.kind = 'customer_debt' AND d.currency = p_currency
    JOIN ledger_accounts t ON t.owner = 'shop' AND t.kind = c.to_kind AND t.currency = p_currency
  ), summed AS (
    SELECT j.*, sum(j.amount) OVER w AS running, row_number() OVER w AS place
    FROM judged j WHERE NOT j.is_known AND NOT j.owes AND j.account IS NOT NULL
    WINDOW w AS (PARTITION BY j.account ORDER BY j.n ROWS UNBOUNDED PRECEDING)
  ), covered AS (
    SELECT s.*, new_id('trf') AS transfer FROM summed s WHERE s.running <= s.balance_micros
  ), transfers AS (
    INSERT INTO ledger_transfers (id, key, from_account_id, to_account_id, amount_micros, currency, source_kind, source_id, happened_at)
    SELECT transfer, key, account, to_account, amount, p_currency, source_kind, source_id, p_happened_at FROM covered
  ), entries AS (
    INSERT INTO ledger_entries (transfer_id, account_id, amount_micros, balance_before_micros, balance_after_micros, account_version)
    SELECT e.* FROM covered c, LATERAL (VALUES
      (c.transfer, c.account, -c.amount, (c.balance_micros - c.running + c.amount)::bigint, (c.balance_micros - c.running)::bigint, c.version + c.place),
      (c.transfer, c.to_account, c.amount, NULL::bigint, NULL::bigint, NULL::bigint)) e
  ), accounts AS (
    UPDATE ledger_accounts a SET balance_micros = a.balance_micros - s.amount, version = a.version + s.places
    FROM (SELECT account, sum(amount)::bigint AS amount, count(*) AS places FROM covered GROUP BY account) s WHERE a.id = s.account
  )
  SELECT j.key, CASE WHEN c.key IS NOT NULL THEN 'posted' WHEN j.is_known THEN 'repeated' WHEN j.owes THEN 'in_debt' ELSE 'insufficient_balance' END
  FROM judged j LEFT JOIN covered c ON c.key = j.key;
END $$;

-- When a renewed proxy ends: its period follows its old end, unless that would be over already (a long grace, a short period).
CREATE FUNCTION renewed_until(p_old timestamptz, p_days int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_old + make_interval(days => p_days) > now() THEN p_old + make_interval(days => p_days) ELSE now() + make_interval(days => p_days) END
$$;

-- Renews proxies of one order. From stock at once; where any of them comes from a supplier, the money is held and the call there is promised.
-- Automatic renewals (p_due given) name the end that they follow: whoever comes after another finds it moved.
-- Locks the order, then the customer's balance. Outcome: 'renewed' | 'held' | 'repeated' | 'key_reused' | 'not_found' | 'not_renewable' (states) | 'renewal_open'
-- | 'switched_off' | 'already_renewed' | 'plan_changed' | 'in_debt' | 'insufficient_balance' (available = balance).
CREATE FUNCTION renew_order(
  p_renewal_id text, p_order_id text, p_user_id text, p_key text, p_due timestamptz, p_allocation_ids text[], p_stock_suppliers text[], p_plan_revision int,
  p_days int, p_quantity int, p_unit_price bigint, p_discount bigint, p_total bigint, p_currency text,
  OUT outcome text, OUT renewal_id text, OUT available bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_order orders; v_old record; v_account text; v_now timestamptz := clock_timestamp(); v_count int; v_is_stock boolean; v_first timestamptz; v_part text;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id AND o.user_id = p_user_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT r.id, (r.allocation_ids, r.period_days, r.total_micros) = (p_allocation_ids, p_days, p_total) AS same INTO v_old
  FROM renewals r WHERE r.order_id = p_order_id AND r.key = p_key;
  IF FOUND THEN
    renewal_id := v_old.id;
    outcome := CASE WHEN v_old.same THEN 'repeated' ELSE 'key_reused' END;
    RETURN;
  END IF;
  IF v_order.state NOT IN ('active', 'in_grace') THEN outcome := 'not_renewable'; RETURN; END IF;
  IF p_due IS NOT NULL THEN
    IF NOT v_order.auto_renew THEN outcome := 'switched_off'; RETURN; END IF;
    IF v_order.due_at <> p_due THEN outcome := 'already_renewed'; RETURN; END IF;
  END IF;
  IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = p_order_id AND r.state = 'held') THEN outcome := 'renewal_open'; RETURN; END IF;
  PERFORM 1 FROM plans pl WHERE pl.id = v_order.plan_id AND pl.revision = p_plan_revision;
  IF NOT FOUND THEN outcome := 'plan_changed'; RETURN; END IF;

  SELECT count(*), bool_and(f.supplier = ANY (p_stock_suppliers)), min(a.expires_at) INTO v_count, v_is_stock, v_first
  FROM allocations a JOIN offers f ON f.id = a.offer_id
  WHERE a.order_id = p_order_id AND a.id = ANY (p_allocation_ids) AND a.granted_bytes IS NULL
    AND (a.state = 'in_grace' AND a.grace_until > v_now OR a.state = 'active' AND (a.expires_at > v_now OR p_due IS NOT NULL));
  IF v_count <> p_quantity OR v_count <> cardinality(p_allocation_ids) THEN outcome := 'not_renewable'; RETURN; END IF;

  SELECT a.id, a.balance_micros INTO v_account, available FROM ledger_accounts a
  WHERE a.owner = p_user_id AND a.kind = 'customer_balance' AND a.currency = p_currency FOR NO KEY UPDATE;
  IF ledger_debt(p_user_id, p_currency) > 0 THEN outcome := 'in_debt'; available := ledger_debt(p_user_id, p_currency); RETURN; END IF;
  available := coalesce(available, 0);
  IF available < p_total THEN outcome := 'insufficient_balance'; RETURN; END IF;

  INSERT INTO renewals (id, order_id, user_id, key, allocation_ids, plan_revision, period_days, quantity, unit_price_micros, discount_micros, total_micros,
                        captured_micros, currency, state, due_at, created_at, ended_at)
  VALUES (p_renewal_id, p_order_id, p_user_id, p_key, p_allocation_ids, p_plan_revision, p_days, p_quantity, p_unit_price, p_discount, p_total,
          CASE WHEN v_is_stock THEN p_total ELSE 0 END, p_currency, CASE WHEN v_is_stock THEN 'done' ELSE 'held' END, v_first, v_now, CASE WHEN v_is_stock THEN v_now END);
  renewal_id := p_renewal_id;
  UPDATE orders SET retry_at = NULL WHERE id = p_order_id;
  IF v_is_stock THEN
    SELECT p.outcome INTO v_part FROM ledger_post('renewal:' || p_renewal_id, v_account, ledger_account('shop', 'revenue:' || v_order.product_kind, p_currency),
      p_total, p_currency, 'order', p_order_id, NULL, v_now) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'renewal % was %', p_renewal_id, v_part; END IF;
    UPDATE allocations SET expires_at = renewed_until(expires_at, p_days), state = 'active', grace_until = NULL WHERE id = ANY (p_allocation_ids);
    PERFORM refresh_order(p_order_id);
    PERFORM tell_renewed(p_order_id, p_renewal_id);
    outcome := 'renewed';
  ELSE
    SELECT h.outcome INTO v_part FROM ledger_hold(p_renewal_id, v_account, p_total, p_currency, 'order', v_now) h;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'hold of % was %', p_renewal_id, v_part; END IF;
    INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'renewal_held', jsonb_build_object('renewalId', p_renewal_id, 'heldMicros', p_total::text));
    INSERT INTO outbox_jobs (name, payload) VALUES ('provisioning.renew', jsonb_build_object('renewalId', p_renewal_id));
    outcome := 'held';
  END IF;
END $$;

-- Writes of a renewal that is done into the order's timeline, and tells the customer.
CREATE FUNCTION tell_renewed(p_order_id text, p_renewal_id text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_renewal renewals; v_until timestamptz;
BEGIN
  SELECT * INTO v_renewal FROM renewals r WHERE r.id = p_renewal_id;
  SELECT min(a.expires_at) INTO v_until FROM allocations a WHERE a.id = ANY (v_renewal.allocation_ids) AND a.state = 'active';
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'renewed', jsonb_build_object('renewalId', p_renewal_id, 'quantity', v_renewal.quantity,
    'periodDays', v_renewal.period_days, 'capturedMicros', v_renewal.captured_micros::text, 'releasedMicros', (v_renewal.total_micros - v_renewal.captured_micros)::text,
    'until', v_until, 'automatic', v_renewal.key LIKE 'auto:%'));
  PERFORM queue_user_email('renewed:' || p_renewal_id, v_renewal.user_id, 'order_renewed', jsonb_build_object('orderId', p_order_id, 'quantity', v_renewal.quantity,
    'periodDays', v_renewal.period_days, 'totalMicros', v_renewal.captured_micros::text, 'currency', v_renewal.currency, 'automatic', v_renewal.key LIKE 'auto:%',
    'expiresAt', to_char(v_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
END $$;

-- Renews many orders that fall due, by their own terms, in one transaction: [{orderId, renewalId, due, days, quantity, unitPrice, discount, total, revision}].
-- Takes only what is plain: all proxies that fall due come from stock, nothing of the order is open, the money is there. Everything else is
-- answered 'alone' (try it by renew_order) or 'passed' (another has it, or it is no longer due). Orders that others hold are passed.
CREATE FUNCTION renew_due_orders(p_rows jsonb, p_stock_suppliers text[], p_currency text) RETURNS TABLE (order_id text, outcome text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp(); v_locked text[]; v_plain jsonb; v_charges jsonb; v_paid text[]; v_mails jsonb;
BEGIN
  SELECT array_agg(l.id) INTO v_locked FROM (
    SELECT o.id FROM orders o JOIN jsonb_to_recordset(p_rows) AS r("orderId" text, due timestamptz, days int) ON r."orderId" = o.id
    WHERE o.state IN ('active', 'in_grace') AND o.auto_renew AND o.due_at = r.due AND o.renew_period_days = r.days
    ORDER BY o.id FOR NO KEY UPDATE OF o SKIP LOCKED) l;
  IF v_locked IS NULL THEN
    RETURN QUERY SELECT r ->> 'orderId', 'passed' FROM jsonb_array_elements(p_rows) r;
    RETURN;
  END IF;

  -- what falls due of each, and whether all of it is ours to renew
  SELECT jsonb_agg(r || jsonb_build_object('userId', o.user_id, 'productKind', o.product_kind, 'ids', a.ids, 'key', 'auto:' || to_char(o.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY o.due_at, o.id)
  INTO v_plain
  FROM jsonb_array_elements(p_rows) r JOIN orders o ON o.id = r ->> 'orderId' AND o.id = ANY (v_locked)
  JOIN plans pl ON pl.id = o.plan_id AND pl.revision = (r ->> 'revision')::int
  JOIN LATERAL (
    SELECT array_agg(a.id ORDER BY a.position) AS ids, bool_and(f.supplier = ANY (p_stock_suppliers)) AS is_stock, count(*) AS n
    FROM allocations a JOIN offers f ON f.id = a.offer_id
    WHERE a.order_id = o.id AND a.granted_bytes IS NULL AND a.expires_at < o.due_at + interval '1 day'
      AND (a.state = 'active' OR a.state = 'in_grace' AND a.grace_until > v_now)) a
    ON a.is_stock AND a.n = (r ->> 'quantity')::int
  WHERE NOT EXISTS (SELECT 1 FROM renewals h WHERE h.order_id = o.id AND h.state = 'held');

  SELECT jsonb_agg(jsonb_build_object('key', 'renewal:' || (p ->> 'renewalId'), 'owner', p ->> 'userId', 'amount', p ->> 'total', 'toKind', 'revenue:' || (p ->> 'productKind'),
    'sourceKind', 'order', 'sourceId', p ->> 'orderId')) INTO v_charges FROM jsonb_array_elements(coalesce(v_plain, '[]')) p;
  IF v_charges IS NOT NULL THEN
    SELECT array_agg(c.key) INTO v_paid FROM ledger_charge_many(v_charges, p_currency, v_now) c WHERE c.outcome = 'posted';
  END IF;
  v_paid := coalesce(v_paid, '{}');

  INSERT INTO renewals (id, order_id, user_id, key, allocation_ids, plan_revision, period_days, quantity, unit_price_micros, discount_micros, total_micros,
                        captured_micros, currency, state, due_at, created_at, ended_at)
  SELECT p ->> 'renewalId', p ->> 'orderId', p ->> 'userId', p ->> 'key', ARRAY(SELECT jsonb_array_elements_text(p -> 'ids')), (p ->> 'revision')::int, (p ->> 'days')::int,
         (p ->> 'quantity')::int, (p ->> 'unitPrice')::bigint, (p ->> 'discount')::bigint, (p ->> 'total')::bigint, (p ->> 'total')::bigint, p_currency, 'done',
         (p ->> 'due')::timestamptz, v_now, v_now
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid);

  UPDATE allocations a SET expires_at = renewed_until(a.expires_at, (p ->> 'days')::int), state = 'active', grace_until = NULL
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p CROSS JOIN LATERAL jsonb_array_elements_text(p -> 'ids') AS i(id)
  WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid) AND a.id = i.id;

  UPDATE orders o SET state = 'active', expires_at = l.ends_at, due_at = l.due_at, look_at = l.look_at, retry_at = NULL
  FROM (SELECT a.order_id, min(a.expires_at) AS due_at, max(a.expires_at) AS ends_at, min(CASE a.state WHEN 'active' THEN a.expires_at ELSE a.grace_until END) AS look_at
        FROM jsonb_array_elements(coalesce(v_plain, '[]')) p JOIN allocations a ON a.order_id = p ->> 'orderId' AND a.state IN ('active', 'in_grace')
        WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid) GROUP BY a.order_id) l
  WHERE o.id = l.order_id;

  INSERT INTO order_events (order_id, kind, data)
  SELECT p ->> 'orderId', 'renewed', jsonb_build_object('renewalId', p ->> 'renewalId', 'quantity', (p ->> 'quantity')::int, 'periodDays', (p ->> 'days')::int,
    'capturedMicros', p ->> 'total', 'releasedMicros', '0', 'until', o.due_at, 'automatic', true)
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p JOIN orders o ON o.id = p ->> 'orderId' WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid);

  SELECT jsonb_agg(jsonb_build_object('key', 'renewed:' || (p ->> 'renewalId'), 'userId', p ->> 'userId', 'template', 'order_renewed', 'props', jsonb_build_object(
    'orderId', p ->> 'orderId', 'quantity', (p ->> 'quantity')::int, 'periodDays', (p ->> 'days')::int, 'totalMicros', p ->> 'total', 'currency', p_currency,
    'automatic', true, 'expiresAt', to_char(o.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))) INTO v_mails
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p JOIN orders o ON o.id = p ->> 'orderId' WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid);
  IF v_mails IS NOT NULL THEN PERFORM queue_user_emails(v_mails); END IF;

  RETURN QUERY SELECT r ->> 'orderId', CASE WHEN 'renewal:' || (r ->> 'renewalId') = ANY (v_paid) THEN 'renewed'
                                            WHEN r ->> 'orderId' = ANY (v_locked) THEN 'alone' ELSE 'passed' END
  FROM jsonb_array_elements(p_rows) r;
END $$;

-- Ends a renewal that was sent to suppliers: [{id, expiresAt, supplierRef?}] is what they renewed; the customer pays the share of those, the rest
-- of the money returns. Proxies of the renewal that come from stock are renewed here when p_with_stock. None renewed: the renewal failed, and says why.
-- Locks the order. Outcome: 'renewed' | 'failed' | 'already_ended' | 'not_found'.
CREATE FUNCTION end_renewal(p_renewal_id text, p_renewed jsonb, p_stock_suppliers text[], p_failure text, p_retry_at timestamptz,
  OUT outcome text, OUT renewed int) LANGUAGE plpgsql AS $$
DECLARE v_renewal renewals; v_order orders; v_now timestamptz := clock_timestamp(); v_settled record; v_part int;
BEGIN
  SELECT o.* INTO v_order FROM orders o JOIN renewals r ON r.order_id = o.id WHERE r.id = p_renewal_id FOR NO KEY UPDATE OF o;
  SELECT * INTO v_renewal FROM renewals r WHERE r.id = p_renewal_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_renewal.state <> 'held' THEN outcome := 'already_ended'; RETURN; END IF;

  UPDATE allocations a SET expires_at = greatest(x."expiresAt", a.expires_at), supplier_ref = coalesce(x."supplierRef", a.supplier_ref),
    state = 'active', grace_until = NULL
  FROM jsonb_to_recordset(p_renewed) AS x(id text, "expiresAt" timestamptz, "supplierRef" text)
  WHERE a.id = x.id AND a.id = ANY (v_renewal.allocation_ids) AND a.state IN ('active', 'in_grace', 'expired') AND x."expiresAt" > v_now;
  GET DIAGNOSTICS renewed = ROW_COUNT;
  UPDATE allocations a SET expires_at = renewed_until(a.expires_at, v_renewal.period_days), state = 'active', grace_until = NULL
  FROM offers f WHERE a.id = ANY (v_renewal.allocation_ids) AND a.state IN ('active', 'in_grace', 'expired') AND f.id = a.offer_id AND f.supplier = ANY (p_stock_suppliers);
  GET DIAGNOSTICS v_part = ROW_COUNT;
  renewed := renewed + v_part;

  SELECT * INTO v_settled FROM ledger_settle_hold(p_renewal_id, v_renewal.total_micros * renewed / v_renewal.quantity, 'revenue:' || v_order.product_kind, 'order', v_now);
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_renewal_id, v_settled.outcome; END IF;
  UPDATE renewals SET state = CASE WHEN renewed > 0 THEN 'done' ELSE 'failed' END, captured_micros = v_settled.captured, ended_at = v_now,
    failure = CASE WHEN renewed < v_renewal.quantity THEN coalesce(p_failure, 'supplier_failed') END WHERE id = p_renewal_id;
  PERFORM refresh_order(v_order.id);
  IF renewed > 0 THEN
    PERFORM tell_renewed(v_order.id, p_renewal_id);
    outcome := 'renewed';
  ELSE
    -- Its key would keep the same end from being tried again.
    UPDATE renewals SET key = key || ':failed:' || p_renewal_id WHERE id = p_renewal_id;
    UPDATE orders SET retry_at = p_retry_at WHERE id = v_order.id;
    INSERT INTO order_events (order_id, kind, data) VALUES (v_order.id, 'renewal_failed', jsonb_build_object('renewalId', p_renewal_id,
      'releasedMicros', v_settled.released::text, 'reason', coalesce(p_failure, 'supplier_failed')));
    PERFORM queue_user_email('renewal_failed:' || p_renewal_id, v_order.user_id, 'renewal_failed', jsonb_build_object('orderId', v_order.id,
      'refundedMicros', v_settled.released::text, 'currency', v_renewal.currency, 'reason', coalesce(p_failure, 'supplier_failed')));
    outcome := 'failed';
  END IF;
END $$;

-- Ends what is over, to the moment it was promised: proxies whose time ran out expire, or wait in grace where the order renews itself; those whose
-- grace is over expire. Works on at most p_limit orders, passing those others hold; an order whose renewal is under way at a supplier waits for it.
-- Returns how many orders were looked at.
CREATE FUNCTION expire_orders(p_limit int, p_grace interval) RETURNS int LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_done int := 0; v_expired int; v_state text;
BEGIN
  FOR v_order IN
    SELECT o.* FROM orders o WHERE o.state IN ('active', 'in_grace') AND o.look_at <= v_now ORDER BY o.look_at, o.id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    v_done := v_done + 1;
    IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = v_order.id AND r.state = 'held') THEN
      UPDATE orders SET look_at = v_now + interval '1 minute' WHERE id = v_order.id;
      CONTINUE;
    END IF;
    UPDATE allocations SET state = 'expired', grace_until = NULL
    WHERE order_id = v_order.id AND (state = 'in_grace' AND (grace_until <= v_now OR NOT v_order.auto_renew)
      OR state = 'active' AND expires_at <= v_now AND (NOT v_order.auto_renew OR granted_bytes IS NOT NULL OR expires_at + p_grace <= v_now));
    GET DIAGNOSTICS v_expired = ROW_COUNT;
    UPDATE allocations SET state = 'in_grace', grace_until = expires_at + p_grace WHERE order_id = v_order.id AND state = 'active' AND expires_at <= v_now;
    IF FOUND THEN
      INSERT INTO order_events (order_id, kind, data) SELECT v_order.id, 'in_grace', jsonb_build_object('until', min(grace_until)) FROM allocations WHERE order_id = v_order.id AND state = 'in_grace';
    END IF;
    PERFORM refresh_order(v_order.id);
    SELECT o.state INTO v_state FROM orders o WHERE o.id = v_order.id;
    IF v_expired > 0 THEN
      INSERT INTO order_events (order_id, kind, data) VALUES (v_order.id, 'expired', jsonb_build_object('quantity', v_expired, 'all', v_state = 'expired'));
    END IF;
    IF v_state = 'expired' THEN
      UPDATE orders SET auto_renew = false WHERE id = v_order.id;
      PERFORM queue_user_email('expired:' || v_order.id || ':' || to_char(v_order.expires_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS'), v_order.user_id, 'order_expired',
        jsonb_build_object('orderId', v_order.id, 'wasAutomatic', v_order.auto_renew));
    END IF;
  END LOOP;
  RETURN v_done;
END $$;

-- Gives money back for an order, once per key: from revenue (or, for downtime and what came late, from its own account), debts first. Proxies named with a refund end here.
-- Never more in all than the order and its renewals have cost. Locks the order. Outcome: 'given' | 'repeated' | 'not_found' | 'not_live' (a refund's proxies are
-- no longer held) | 'more_than_paid' (available = what is left).
CREATE FUNCTION credit_order(p_credit_id text, p_order_id text, p_key text, p_cause text, p_amount bigint, p_allocation_ids text[], p_evidence jsonb, p_given_by text,
  OUT outcome text, OUT credit_id text, OUT available bigint) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_given record; v_ended int;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT c.id INTO credit_id FROM order_credits c WHERE c.order_id = p_order_id AND c.key = p_key;
  IF FOUND THEN outcome := 'repeated'; RETURN; END IF;
  SELECT coalesce((SELECT h.captured_micros FROM ledger_holds h WHERE h.id = p_order_id), 0)
       + coalesce((SELECT sum(r.captured_micros) FROM renewals r WHERE r.order_id = p_order_id), 0)
       - coalesce((SELECT sum(c.amount_micros) FROM order_credits c WHERE c.order_id = p_order_id), 0) INTO available;
  IF p_amount > available THEN outcome := 'more_than_paid'; RETURN; END IF;
  IF p_cause IN ('refund', 'not_replaced') THEN
    IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = p_order_id AND r.state = 'held') THEN outcome := 'not_live'; RETURN; END IF;
    UPDATE allocations SET state = 'refunded', grace_until = NULL WHERE order_id = p_order_id AND id = ANY (p_allocation_ids) AND state IN ('active', 'in_grace');
    GET DIAGNOSTICS v_ended = ROW_COUNT;
    -- undone with everything else: the caller's picture of the order is out of date
    IF v_ended <> cardinality(p_allocation_ids) THEN RAISE EXCEPTION 'not_live' USING ERRCODE = 'P0S01'; END IF;
    PERFORM refresh_order(p_order_id);
  END IF;
  credit_id := p_credit_id;
  INSERT INTO order_credits (id, order_id, user_id, key, cause, amount_micros, currency, allocation_ids, evidence, given_by, created_at)
  VALUES (p_credit_id, p_order_id, v_order.user_id, p_key, p_cause, p_amount, v_order.currency, p_allocation_ids, p_evidence, p_given_by, v_now);
  SELECT * INTO v_given FROM ledger_give('order_credit:' || p_credit_id,
    ledger_account('shop', CASE WHEN p_cause IN ('downtime', 'late') THEN 'sla_credits' ELSE 'revenue:' || v_order.product_kind END, v_order.currency),
    v_order.user_id, p_amount, v_order.currency, 'order', p_order_id, v_now);
  IF v_given.outcome <> 'posted' THEN RAISE EXCEPTION 'credit % was %', p_credit_id, v_given.outcome; END IF;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'credited', jsonb_build_object('creditId', p_credit_id, 'cause', p_cause,
    'amountMicros', p_amount::text, 'quantity', cardinality(p_allocation_ids), 'debtPaidMicros', v_given.debt_paid::text));
  PERFORM queue_user_email('order_credit:' || p_credit_id, v_order.user_id, 'order_credited', jsonb_build_object('orderId', p_order_id, 'cause', p_cause,
    'amountMicros', p_amount::text, 'quantity', cardinality(p_allocation_ids), 'balanceMicros', v_given.balance::text, 'currency', v_order.currency));
  outcome := 'given';
END $$;

-- Exchanges one proxy for a free unit of the offers named (tried in their order, preferably on another host than the old one), keeping its end. The unit given up is withdrawn.
-- Locks the order. Outcome: 'replaced' | 'repeated' | 'not_found' | 'not_live' | 'sold_out'.
CREATE FUNCTION replace_from_stock(p_replacement_id text, p_order_id text, p_allocation_id text, p_offer_ids text[], p_key text, p_reason text, p_asked_by text,
  OUT outcome text, OUT new_id text) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_old allocations; v_unit stock_units; v_now timestamptz := clock_timestamp(); v_row replacements;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT * INTO v_row FROM replacements r WHERE r.order_id = p_order_id AND r.key = p_key;
  IF FOUND AND v_row.state <> 'open' THEN outcome := 'repeated'; new_id := v_row.new_allocation_id; RETURN; END IF;
  SELECT * INTO v_old FROM allocations a WHERE a.id = p_allocation_id AND a.order_id = p_order_id;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_old.state <> 'active' OR v_old.expires_at <= v_now THEN outcome := 'not_live'; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = p_order_id AND r.state = 'held') THEN outcome := 'not_live'; RETURN; END IF;
  FOR i IN 1 .. coalesce(cardinality(p_offer_ids), 0) LOOP
    -- By rank alone, as place_order does; of the first fifty one on another host, if there is one: where all units are logins at one gateway, another login.
    SELECT u.* INTO v_unit FROM stock_units u JOIN (
      SELECT id FROM stock_units WHERE offer_id = p_offer_ids[i] AND state = 'free' ORDER BY rank LIMIT 50) f ON f.id = u.id
    WHERE u.state = 'free' ORDER BY u.host = v_old.host, u.rank LIMIT 1 FOR UPDATE OF u SKIP LOCKED;
    EXIT WHEN FOUND;
  END LOOP;
  IF v_unit.id IS NULL THEN outcome := 'sold_out'; RETURN; END IF;
  UPDATE stock_units SET state = 'sold', order_id = p_order_id, sold_at = v_now WHERE id = v_unit.id;
  UPDATE stock_units SET state = 'withdrawn', order_id = NULL WHERE id = v_old.supplier_ref AND state = 'sold';
  new_id := new_id('alc');
  INSERT INTO allocations (id, order_id, user_id, position, supplier_ref, host, port, username, password, protocols, country_code, expires_at, offer_id)
  SELECT new_id, p_order_id, v_old.user_id, 1 + max(a.position), v_unit.id, v_unit.host, v_unit.port, v_unit.username, v_unit.password, v_unit.protocols,
         v_old.country_code, v_old.expires_at, v_unit.offer_id FROM allocations a WHERE a.order_id = p_order_id;
  PERFORM end_replacement(p_replacement_id, p_order_id, p_allocation_id, new_id, p_key, p_reason, p_asked_by);
  outcome := 'replaced';
END $$;

-- Writes the record old → new, ends the old proxy and tells the customer. The caller holds the order's row and has made the new allocation.
CREATE FUNCTION end_replacement(p_replacement_id text, p_order_id text, p_old text, p_new text, p_key text, p_reason text, p_asked_by text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_order orders;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id;
  UPDATE allocations SET state = 'replaced' WHERE id = p_old;
  INSERT INTO replacements (id, order_id, user_id, old_allocation_id, new_allocation_id, key, reason, asked_by, state, ended_at)
  VALUES (p_replacement_id, p_order_id, v_order.user_id, p_old, p_new, p_key, p_reason, p_asked_by, 'replaced', clock_timestamp())
  ON CONFLICT (order_id, key) DO UPDATE SET new_allocation_id = p_new, state = 'replaced', ended_at = clock_timestamp();
  PERFORM refresh_order(p_order_id);
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'replaced', jsonb_build_object('oldId', p_old, 'newId', p_new, 'reason', p_reason));
  INSERT INTO outbox_jobs (name, payload) VALUES ('checks.check_order', jsonb_build_object('orderId', p_order_id));
  PERFORM queue_user_email('replaced:' || p_old, v_order.user_id, 'proxy_replaced', jsonb_build_object('orderId', p_order_id, 'reason', p_reason,
    'old', (SELECT host || ':' || port FROM allocations WHERE id = p_old), 'new', (SELECT host || ':' || port FROM allocations WHERE id = p_new)));
END $$;
