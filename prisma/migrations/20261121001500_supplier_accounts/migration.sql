-- Suppliers that an operator sets up in the admin, how they are doing, what lies there, and orders that move to another source.
SET lock_timeout = '5s';

CREATE TABLE "supplier_accounts" (
    "name" TEXT NOT NULL,
    "is_enabled" BOOLEAN NOT NULL DEFAULT false,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "sealed" JSONB NOT NULL DEFAULT '{}',
    "hints" JSONB NOT NULL DEFAULT '{}',
    "cost_currency" TEXT,
    "cost_rate" TEXT,
    "tested_at" TIMESTAMPTZ(3),
    "test_result" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "supplier_accounts_pkey" PRIMARY KEY ("name"),
    CONSTRAINT "supplier_accounts_name_form" CHECK ("name" ~ '^[a-z0-9-]{1,32}$'),
    CONSTRAINT "supplier_accounts_rate_whole" CHECK (("cost_currency" IS NULL) = ("cost_rate" IS NULL)),
    CONSTRAINT "supplier_accounts_rate_form" CHECK ("cost_currency" ~ '^[A-Z]{3}$' AND "cost_rate" ~ '^\d{1,9}(\.\d{1,9})?$'),
    CONSTRAINT "supplier_accounts_test_whole" CHECK (("tested_at" IS NULL) = ("test_result" IS NULL))
);

CREATE TABLE "supplier_health" (
    "supplier" TEXT NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "open_until" TIMESTAMPTZ(3),
    "last_error" TEXT,
    "last_error_at" TIMESTAMPTZ(3),
    "last_ok_at" TIMESTAMPTZ(3),

    CONSTRAINT "supplier_health_pkey" PRIMARY KEY ("supplier")
);

CREATE TABLE "supplier_balances" (
    "id" BIGSERIAL NOT NULL,
    "supplier" TEXT NOT NULL,
    "balance_micros" BIGINT,
    "currency" TEXT,
    "available_bytes" BIGINT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "supplier_balances_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "supplier_balances_money_or_traffic" CHECK ((balance_micros IS NULL) = (currency IS NULL) AND (balance_micros IS NULL) = (available_bytes IS NOT NULL))
);
CREATE INDEX "supplier_balances_supplier_at_idx" ON "supplier_balances"("supplier", "at");
CREATE INDEX "supplier_balances_at_idx" ON "supplier_balances"("at");

-- What a purchase was quoted at, kept with its run: a purchase that is looked up later does not tell its price.
ALTER TABLE deliveries ADD COLUMN quoted_micros bigint, ADD COLUMN quoted_currency text,
  ADD CONSTRAINT quote_is_whole CHECK ((quoted_micros IS NULL) = (quoted_currency IS NULL));
-- A supplier's order is handed over once: where nothing of ours is written beside it, two look-ups may find the same one.
CREATE UNIQUE INDEX "one_delivery_per_supplier_order" ON "deliveries"("supplier", "supplier_order_id") WHERE (supplier_order_id IS NOT NULL);
CREATE INDEX "deliveries_supplier_started_at_idx" ON "deliveries"("supplier", "started_at");
CREATE INDEX "deliveries_open_idx" ON "deliveries"("started_at") WHERE (state = ANY (ARRAY['calling'::text, 'unknown'::text]));

-- When the sub-account of a login with traffic was closed at its supplier.
ALTER TABLE allocations ADD COLUMN account_closed_at timestamptz(3);
CREATE INDEX "allocations_traffic_idx" ON "allocations"("state", "id") WHERE (granted_bytes IS NOT NULL AND account_closed_at IS NULL);

-- One more failure of a supplier in a row. From the fifth on its circuit is open: nobody calls it for a while, longer each time, half an hour at most.
CREATE FUNCTION note_supplier_failure(p_supplier text, p_error text) RETURNS int LANGUAGE sql AS $$
  INSERT INTO supplier_health (supplier, failures, last_error, last_error_at) VALUES (p_supplier, 1, p_error, clock_timestamp())
  ON CONFLICT (supplier) DO UPDATE SET failures = supplier_health.failures + 1, last_error = p_error, last_error_at = clock_timestamp(),
    open_until = CASE WHEN supplier_health.failures + 1 < 5 THEN NULL
      ELSE clock_timestamp() + least(interval '30 minutes', interval '1 minute' * power(2, least(supplier_health.failures + 1 - 5, 5))) END
  RETURNING failures
$$;

-- The supplier answered: its circuit is closed. Writes only what is news, because every call ends here.
CREATE FUNCTION note_supplier_ok(p_supplier text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO supplier_health (supplier, last_ok_at) VALUES (p_supplier, clock_timestamp())
  ON CONFLICT (supplier) DO UPDATE SET failures = 0, open_until = NULL, last_ok_at = clock_timestamp()
  WHERE supplier_health.failures > 0 OR supplier_health.last_ok_at IS NULL OR supplier_health.last_ok_at < clock_timestamp() - interval '30 seconds'
$$;

-- Whether a supplier may be called. When its circuit's time is over, exactly one caller is let through to try, and the others wait another half minute.
CREATE FUNCTION claim_supplier_call(p_supplier text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_open timestamptz;
BEGIN
  SELECT h.open_until INTO v_open FROM supplier_health h WHERE h.supplier = p_supplier;
  IF v_open IS NULL THEN RETURN true; END IF;
  IF v_open > clock_timestamp() THEN RETURN false; END IF;
  UPDATE supplier_health SET open_until = clock_timestamp() + interval '30 seconds' WHERE supplier = p_supplier AND open_until <= clock_timestamp();
  RETURN FOUND;
END $$;

-- Moves an open order to an offer of its own plan and country, reserving free units where that offer sells from stock. Locks the order.
-- Outcome: 'moved' (also when it stays) | 'ended' | 'under_way' (a run's end is open) | 'other_place' | 'sold_out'. Only 'moved' writes.
CREATE FUNCTION move_order_to_offer(p_order_id text, p_offer_id text, p_is_stock boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_units text[];
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND OR v_order.state NOT IN ('placed', 'delivering', 'unknown') THEN RETURN 'ended'; END IF;
  IF EXISTS (SELECT 1 FROM deliveries d WHERE d.order_id = p_order_id AND d.state IN ('calling', 'unknown')) THEN RETURN 'under_way'; END IF;
  IF v_order.offer_id <> p_offer_id AND NOT EXISTS (
    SELECT 1 FROM offers f WHERE f.id = p_offer_id AND f.plan_id = v_order.plan_id AND f.country_code = v_order.country_code AND f.is_active)
  THEN RETURN 'other_place'; END IF;
  IF p_is_stock AND NOT EXISTS (SELECT 1 FROM stock_units u WHERE u.order_id = p_order_id AND u.state = 'reserved') THEN
    SELECT array_agg(u.id) INTO v_units FROM (
      SELECT id FROM stock_units WHERE offer_id = p_offer_id AND state = 'free' ORDER BY rank LIMIT v_order.quantity FOR UPDATE SKIP LOCKED
    ) u;
    IF coalesce(cardinality(v_units), 0) < v_order.quantity THEN RETURN 'sold_out'; END IF;
    UPDATE stock_units SET state = 'reserved', order_id = p_order_id WHERE id = ANY (v_units);
  END IF;
  IF v_order.offer_id <> p_offer_id THEN
    UPDATE orders SET offer_id = p_offer_id WHERE id = p_order_id;
    INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'source_changed', jsonb_build_object('from', v_order.offer_id, 'to', p_offer_id));
  END IF;
  RETURN 'moved';
END $$;
