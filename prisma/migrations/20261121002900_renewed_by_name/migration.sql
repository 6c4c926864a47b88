-- What of a renewal was renewed, and what its time came to; ends that follow nobody's clock but the promise.
SET lock_timeout = '5s';

-- Which proxies a renewal renewed: its money is theirs alone. Null or none: all that it names.
ALTER TABLE "renewals" ADD COLUMN "renewed_ids" TEXT[];
UPDATE renewals r SET renewed_ids = x.ids FROM (
  SELECT r.id, array_agg(DISTINCT e ->> 'id') AS ids FROM renewals r JOIN renewal_runs u ON u.renewal_id = r.id CROSS JOIN LATERAL jsonb_array_elements(u.renewed) e
  WHERE r.state = 'done' AND r.captured_micros < r.total_micros AND e ->> 'id' = ANY (r.allocation_ids) GROUP BY r.id) x
WHERE x.id = r.id AND r.captured_micros = r.total_micros * cardinality(x.ids) / r.quantity;

-- As before, in hours: a day of a server's own calendar may have 23 or 25 of them.
CREATE OR REPLACE FUNCTION renewed_until(p_old timestamptz, p_days int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_old + make_interval(hours => 24 * p_days) > now() THEN p_old + make_interval(hours => 24 * p_days) ELSE now() + make_interval(hours => 24 * p_days) END
$$;

-- As before, and: an end that is over already gives back all that was paid for it, no more; of gigabytes only whole ones count, and a login with less than one is not
-- left behind.
CREATE OR REPLACE FUNCTION complete_delivery(p_order_id text, p_delivery_id text, p_supplier_order_id text, p_cost bigint, p_cost_currency text, p_proxies jsonb,
  OUT outcome text, OUT delivered int) LANGUAGE plpgsql AS $$
DECLARE
  v_order orders; v_now timestamptz := clock_timestamp(); v_expires timestamptz; v_captured bigint; v_settled record; v_promised timestamptz;
  v_late bigint; v_late_ids text[]; v_late_end timestamptz;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_order.state NOT IN ('placed', 'delivering', 'unknown') THEN outcome := 'already_ended'; RETURN; END IF;
  v_expires := v_now + make_interval(hours => 24 * v_order.period_days);
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
  SELECT CASE WHEN bool_or(a.granted_bytes IS NOT NULL) THEN least(v_order.quantity, floor(sum(a.granted_bytes) / 1000000000)) ELSE count(*) END
  INTO delivered FROM allocations a WHERE a.order_id = p_order_id;
  IF delivered = 0 THEN
    DELETE FROM allocations a WHERE a.order_id = p_order_id;
    outcome := 'nothing_to_deliver';
    RETURN;
  END IF;

  -- For fewer pieces than ordered, the customer pays their share, rounded down.
  v_captured := v_order.total_micros * delivered / v_order.quantity;
  SELECT * INTO v_settled FROM ledger_settle_hold(p_order_id, v_captured, 'revenue:' || v_order.product_kind, 'order', v_now);
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_order_id, v_settled.outcome; END IF;

  UPDATE orders SET delivered_at = v_now, expires_at = v_expires WHERE id = p_order_id;
  PERFORM refresh_order(p_order_id);
  SELECT o.expires_at INTO v_expires FROM orders o WHERE o.id = p_order_id;
  -- A purchase that was found days after it was made has run for that long already: its customer pays for the time that is left.
  SELECT sum(floor(v_settled.captured * extract(epoch FROM v_promised - greatest(a.expires_at, v_now)) / (v_order.period_days::numeric * 86400 * delivered)))::bigint,
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

-- As before, of what was renewed alone.
CREATE OR REPLACE FUNCTION tell_renewed(p_order_id text, p_renewal_id text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_renewal renewals; v_until timestamptz; v_quantity int;
BEGIN
  SELECT * INTO v_renewal FROM renewals r WHERE r.id = p_renewal_id;
  v_quantity := cardinality(coalesce(nullif(v_renewal.renewed_ids, '{}'), v_renewal.allocation_ids));
  SELECT min(a.expires_at) INTO v_until FROM allocations a WHERE a.id = ANY (coalesce(nullif(v_renewal.renewed_ids, '{}'), v_renewal.allocation_ids)) AND a.state = 'active';
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'renewed', jsonb_build_object('renewalId', p_renewal_id, 'quantity', v_quantity,
    'periodDays', v_renewal.period_days, 'capturedMicros', v_renewal.captured_micros::text, 'releasedMicros', (v_renewal.total_micros - v_renewal.captured_micros)::text,
    'until', v_until, 'automatic', v_renewal.key LIKE 'auto:%'));
  PERFORM queue_user_email('renewed:' || p_renewal_id, v_renewal.user_id, 'order_renewed', jsonb_build_object('orderId', p_order_id, 'quantity', v_quantity,
    'periodDays', v_renewal.period_days, 'totalMicros', v_renewal.captured_micros::text, 'currency', v_renewal.currency, 'automatic', v_renewal.key LIKE 'auto:%',
    'expiresAt', to_char(v_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
END $$;

-- As before, and: an automatic renewal is of the terms that stand when it happens; of others it is 'switched_off'.
CREATE OR REPLACE FUNCTION renew_order(
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
    IF v_order.renew_period_days <> p_days OR v_order.renew_unit_micros * p_quantity < p_total THEN outcome := 'switched_off'; RETURN; END IF;
  END IF;
  IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = p_order_id AND r.state = 'held') THEN outcome := 'renewal_open'; RETURN; END IF;
  PERFORM 1 FROM plans pl WHERE pl.id = v_order.plan_id AND pl.revision = p_plan_revision;
  IF NOT FOUND THEN outcome := 'plan_changed'; RETURN; END IF;

  SELECT count(*), bool_and(f.supplier = ANY (p_stock_suppliers)), min(a.expires_at) INTO v_count, v_is_stock, v_first
  FROM allocations a JOIN offers f ON f.id = a.offer_id
  WHERE a.order_id = p_order_id AND a.id = ANY (p_allocation_ids) AND a.granted_bytes IS NULL
    AND (a.state = 'in_grace' AND a.grace_until > v_now OR a.state = 'active' AND (a.expires_at > v_now OR p_due IS NOT NULL));
  IF v_count <> p_quantity OR v_count <> cardinality(p_allocation_ids) THEN outcome := 'not_renewable'; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM replacements r WHERE r.order_id = p_order_id AND r.state = 'open' AND r.old_allocation_id = ANY (p_allocation_ids)) THEN
    outcome := 'being_replaced'; RETURN;
  END IF;

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

-- As before, and: what was renewed is kept by name, each proxy once, and time that is missing of what was paid for is given back.
CREATE OR REPLACE FUNCTION end_renewal(p_renewal_id text, p_renewed jsonb, p_stock_suppliers text[], p_failure text, p_retry_at timestamptz,
  OUT outcome text, OUT renewed int) LANGUAGE plpgsql AS $$
DECLARE v_renewal renewals; v_order orders; v_now timestamptz := clock_timestamp(); v_settled record; v_ids text[]; v_late bigint; v_late_ids text[]; v_late_end timestamptz; v_late_promised timestamptz;
BEGIN
  SELECT o.* INTO v_order FROM orders o JOIN renewals r ON r.order_id = o.id WHERE r.id = p_renewal_id FOR NO KEY UPDATE OF o;
  SELECT * INTO v_renewal FROM renewals r WHERE r.id = p_renewal_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_renewal.state <> 'held' THEN outcome := 'already_ended'; RETURN; END IF;

  -- each proxy once, whatever is told of it
  WITH told AS (
    SELECT DISTINCT ON (x.id) x.id, x."expiresAt" AS ends_at, x."supplierRef" AS supplier_ref, renewed_until(a.expires_at, v_renewal.period_days) AS promised
    FROM jsonb_to_recordset(p_renewed) AS x(id text, "expiresAt" timestamptz, "supplierRef" text) JOIN allocations a ON a.id = x.id
    WHERE a.id = ANY (v_renewal.allocation_ids) AND a.state IN ('active', 'in_grace', 'expired') AND x."expiresAt" > v_now ORDER BY x.id, x."expiresAt" DESC
  ), ours AS (
    SELECT a.id, renewed_until(a.expires_at, v_renewal.period_days) AS ends_at, a.supplier_ref, NULL::timestamptz AS promised
    FROM allocations a JOIN offers f ON f.id = a.offer_id
    WHERE a.id = ANY (v_renewal.allocation_ids) AND a.state IN ('active', 'in_grace', 'expired') AND f.supplier = ANY (p_stock_suppliers)
  ), done AS (
    UPDATE allocations a SET expires_at = greatest(n.ends_at, a.expires_at), supplier_ref = coalesce(n.supplier_ref, a.supplier_ref), state = 'active', grace_until = NULL
    FROM (SELECT * FROM told UNION ALL SELECT * FROM ours WHERE ours.id NOT IN (SELECT told.id FROM told)) n WHERE a.id = n.id RETURNING a.id, a.expires_at, n.promised
  )
  SELECT coalesce(array_agg(d.id), '{}'), array_agg(d.id) FILTER (WHERE d.expires_at < d.promised - interval '6 hours'),
         min(d.expires_at) FILTER (WHERE d.expires_at < d.promised - interval '6 hours'), max(d.promised) FILTER (WHERE d.expires_at < d.promised - interval '6 hours'),
         sum(floor(v_renewal.total_micros / v_renewal.quantity * least(1, extract(epoch FROM d.promised - d.expires_at) / (v_renewal.period_days::numeric * 86400))))
           FILTER (WHERE d.expires_at < d.promised - interval '6 hours')
  INTO v_ids, v_late_ids, v_late_end, v_late_promised, v_late FROM done d;
  renewed := cardinality(v_ids);

  SELECT * INTO v_settled FROM ledger_settle_hold(p_renewal_id, v_renewal.total_micros * renewed / v_renewal.quantity, 'revenue:' || v_order.product_kind, 'order', v_now);
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_renewal_id, v_settled.outcome; END IF;
  UPDATE renewals SET state = CASE WHEN renewed > 0 THEN 'done' ELSE 'failed' END, captured_micros = v_settled.captured, ended_at = v_now, renewed_ids = v_ids,
    failure = CASE WHEN renewed < v_renewal.quantity THEN coalesce(p_failure, 'supplier_failed') END WHERE id = p_renewal_id;
  PERFORM refresh_order(v_order.id);
  IF renewed < v_renewal.quantity THEN
    -- What was not renewed still ends when it did, and its next try follows that same end: an automatic key would stand in its way.
    UPDATE renewals SET key = key || ':' || p_renewal_id WHERE id = p_renewal_id AND (renewed = 0 OR key LIKE 'auto:%');
    UPDATE orders SET retry_at = p_retry_at WHERE id = v_order.id;
  END IF;
  IF renewed > 0 THEN
    PERFORM tell_renewed(v_order.id, p_renewal_id);
    -- A supplier that renewed for less than was paid for: its customer pays for the time that there is.
    IF v_late > 0 THEN
      PERFORM credit_order(new_id('ocr'), v_order.id, 'late:' || p_renewal_id, 'late', v_late, v_late_ids,
        jsonb_build_object('renewalId', p_renewal_id, 'promisedUntil', v_late_promised, 'until', v_late_end), NULL);
    END IF;
    outcome := 'renewed';
  ELSE
    INSERT INTO order_events (order_id, kind, data) VALUES (v_order.id, 'renewal_failed', jsonb_build_object('renewalId', p_renewal_id,
      'releasedMicros', v_settled.released::text, 'reason', coalesce(p_failure, 'supplier_failed')));
    PERFORM queue_user_email('renewal_failed:' || p_renewal_id, v_order.user_id, 'renewal_failed', jsonb_build_object('orderId', v_order.id,
      'refundedMicros', v_settled.released::text, 'currency', v_renewal.currency, 'reason', coalesce(p_failure, 'supplier_failed')));
    outcome := 'failed';
  END IF;
END $$;

-- As before, and: a renewal that is under way at a supplier keeps its own proxies from ending, not the order's others.
CREATE OR REPLACE FUNCTION expire_orders(p_limit int, p_grace interval) RETURNS int LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_done int := 0; v_expired int; v_state text; v_open text[];
BEGIN
  FOR v_order IN
    SELECT o.* FROM orders o WHERE o.state IN ('active', 'in_grace') AND o.look_at <= v_now ORDER BY o.look_at, o.id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    v_done := v_done + 1;
    v_open := ARRAY(SELECT r.old_allocation_id FROM replacements r WHERE r.order_id = v_order.id AND r.state = 'open'
      UNION ALL SELECT unnest(r.allocation_ids) FROM renewals r WHERE r.order_id = v_order.id AND r.state = 'held');
    UPDATE allocations SET state = 'expired', grace_until = NULL
    WHERE order_id = v_order.id AND id <> ALL (v_open) AND (state = 'in_grace' AND (grace_until <= v_now OR NOT v_order.auto_renew)
      OR state = 'active' AND expires_at <= v_now AND (NOT v_order.auto_renew OR granted_bytes IS NOT NULL OR expires_at + p_grace <= v_now));
    GET DIAGNOSTICS v_expired = ROW_COUNT;
    UPDATE allocations SET state = 'in_grace', grace_until = expires_at + p_grace WHERE order_id = v_order.id AND id <> ALL (v_open) AND state = 'active' AND expires_at <= v_now;
    IF FOUND THEN
      INSERT INTO order_events (order_id, kind, data) SELECT v_order.id, 'in_grace', jsonb_build_object('until', min(grace_until)) FROM allocations WHERE order_id = v_order.id AND state = 'in_grace';
    END IF;
    PERFORM refresh_order(v_order.id);
    IF cardinality(v_open) > 0 THEN UPDATE orders SET look_at = greatest(look_at, v_now + interval '1 minute') WHERE id = v_order.id AND look_at IS NOT NULL; END IF;
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
