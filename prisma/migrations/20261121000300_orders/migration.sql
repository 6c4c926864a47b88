-- Orders, stock and deliveries: fences, and the three hot functions.
SET lock_timeout = '5s';

ALTER TABLE plans ADD CONSTRAINT quantities_make_sense CHECK (min_quantity >= 1 AND max_quantity >= min_quantity AND max_quantity <= 10000);
ALTER TABLE plan_periods ADD CONSTRAINT price_makes_sense CHECK (days BETWEEN 1 AND 3660 AND unit_price_micros > 0);
ALTER TABLE plan_quantity_steps ADD CONSTRAINT discount_makes_sense CHECK (from_quantity >= 2 AND discount_basis_points BETWEEN 1 AND 9000);
ALTER TABLE orders
  ADD CONSTRAINT state_is_known CHECK (state IN ('placed', 'delivering', 'unknown', 'active', 'failed')),
  ADD CONSTRAINT amounts_make_sense CHECK (quantity > 0 AND total_micros > 0 AND discount_micros >= 0
    AND unit_price_micros * quantity - discount_micros = total_micros),
  ADD CONSTRAINT active_has_a_span CHECK (state <> 'active' OR (delivered_at IS NOT NULL AND expires_at > delivered_at));
ALTER TABLE order_intents ADD CONSTRAINT state_is_known CHECK (state IN ('waiting', 'placed', 'refused', 'expired'));
ALTER TABLE stock_units
  ADD CONSTRAINT state_is_known CHECK (state IN ('free', 'reserved', 'sold', 'withdrawn')),
  ADD CONSTRAINT belongs_to_an_order CHECK ((state IN ('reserved', 'sold')) = (order_id IS NOT NULL)),
  ADD CONSTRAINT port_makes_sense CHECK (port BETWEEN 1 AND 65535);
ALTER TABLE deliveries ADD CONSTRAINT state_is_known CHECK (state IN ('calling', 'unknown', 'delivered', 'refused'));
-- An order has at most one run whose end is open: nothing is bought again while an outcome is unknown.
CREATE UNIQUE INDEX one_open_delivery_per_order ON deliveries (order_id) WHERE state IN ('calling', 'unknown');
-- Units that were just sold lie, dead, at the very front of the index over free ones, where every purchase begins to look.
ALTER TABLE stock_units SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE orders SET (fillfactor = 85);

-- Places an order: holds the money, reserves stock where the offer is stock, promises the delivery. All or nothing, in one round trip.
-- Locks the customer's account first, so that purchases of one customer stand in line; then free units, skipping those others hold.
-- Outcome: 'placed' | 'repeated' (same request key, same content) | 'key_reused' | 'plan_changed' (revision, plan, product or offer is no
-- longer what was priced) | 'intent_closed' (the key is a waiting choice that was taken back) | 'insufficient_balance' (available = balance) | 'sold_out' (available = pieces seen free). Only 'placed' writes.
CREATE FUNCTION place_order(
  p_order_id text, p_user_id text, p_request_key text, p_plan_id text, p_plan_revision int, p_offer_id text, p_is_stock boolean,
  p_product_kind text, p_country_code text, p_period_days int, p_quantity int, p_unit_price bigint, p_discount bigint, p_total bigint, p_currency text,
  OUT outcome text, OUT order_id text, OUT available bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_account text; v_units text[]; v_old record; v_now timestamptz := clock_timestamp(); v_held text; v_intent text;
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
CREATE FUNCTION complete_delivery(p_order_id text, p_delivery_id text, p_supplier_order_id text, p_cost bigint, p_cost_currency text, p_proxies jsonb,
  OUT outcome text, OUT delivered int) LANGUAGE plpgsql AS $$
DECLARE
  v_order orders; v_now timestamptz := clock_timestamp(); v_expires timestamptz; v_captured bigint; v_settled record;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state IN ('active', 'failed') THEN outcome := 'already_ended'; RETURN; END IF;
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
CREATE FUNCTION fail_order(p_order_id text, p_reason text, OUT outcome text, OUT released bigint) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_settled record;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state IN ('active', 'failed') THEN outcome := 'already_ended'; RETURN; END IF;
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
