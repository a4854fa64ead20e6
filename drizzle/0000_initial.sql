CREATE TABLE "account" (
	"account" uuid PRIMARY KEY NOT NULL,
	"username" text NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"email" text,
	"phone" text,
	"password_hash" text NOT NULL,
	"person" uuid NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "account_username_unique" UNIQUE("username"),
	CONSTRAINT "account_reachable" CHECK ("account"."email" is not null or "account"."phone" is not null)
);
--> statement-breakpoint
CREATE TABLE "branch" (
	"business" uuid NOT NULL,
	"branch" uuid NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "branch_business_branch_pk" PRIMARY KEY("business","branch")
);
--> statement-breakpoint
CREATE TABLE "business" (
	"business" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"last_device_code" text NOT NULL,
	"last_member" integer NOT NULL,
	"claimed_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "device" (
	"business" uuid NOT NULL,
	"code" text NOT NULL,
	"branch" uuid NOT NULL,
	"member" integer NOT NULL,
	"sight" text NOT NULL,
	"public_key" "bytea" NOT NULL,
	"joined_at" bigint NOT NULL,
	"removed_at" bigint,
	CONSTRAINT "device_business_code_pk" PRIMARY KEY("business","code"),
	CONSTRAINT "device_key_once" UNIQUE("business","public_key")
);
--> statement-breakpoint
CREATE TABLE "device_nonce" (
	"nonce_hash" "bytea" PRIMARY KEY NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "device_token" (
	"business" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"code" text NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "device_token_business_token_hash_pk" PRIMARY KEY("business","token_hash")
);
--> statement-breakpoint
CREATE TABLE "invite" (
	"business" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"branch" uuid NOT NULL,
	"member" integer NOT NULL,
	"sight" text NOT NULL,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"used_by" text,
	CONSTRAINT "invite_business_token_hash_pk" PRIMARY KEY("business","token_hash")
);
--> statement-breakpoint
CREATE TABLE "member" (
	"business" uuid NOT NULL,
	"member" integer NOT NULL,
	"account" uuid NOT NULL,
	"person" uuid NOT NULL,
	"role" text NOT NULL,
	"name" text NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "member_business_member_pk" PRIMARY KEY("business","member"),
	CONSTRAINT "member_once" UNIQUE("business","account")
);
--> statement-breakpoint
CREATE TABLE "person" (
	"person" uuid PRIMARY KEY NOT NULL,
	"account" uuid NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "person_alias" (
	"alias" uuid PRIMARY KEY NOT NULL,
	"person" uuid NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rate_limit" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer NOT NULL,
	"expire" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "session" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"account" uuid NOT NULL,
	"user_agent" text NOT NULL,
	"created_at" bigint NOT NULL,
	"seen_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticket" (
	"business" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"code" text NOT NULL,
	"document" text NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "ticket_business_token_hash_pk" PRIMARY KEY("business","token_hash")
);
--> statement-breakpoint
CREATE TABLE "balance" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"currency" text NOT NULL,
	"exponent" integer NOT NULL,
	"confirmed" numeric NOT NULL,
	"waiting" numeric NOT NULL,
	"credited" numeric NOT NULL,
	"disputed" numeric NOT NULL,
	"total" numeric NOT NULL,
	"last_at" bigint NOT NULL,
	"is_plain" boolean NOT NULL,
	CONSTRAINT "balance_business_ledger_currency_exponent_pk" PRIMARY KEY("business","ledger","currency","exponent")
);
--> statement-breakpoint
CREATE TABLE "customer" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"fields" jsonb NOT NULL,
	"stamps" jsonb NOT NULL,
	CONSTRAINT "customer_business_ledger_pk" PRIMARY KEY("business","ledger")
);
--> statement-breakpoint
CREATE TABLE "database_epoch" (
	"epoch" integer PRIMARY KEY NOT NULL,
	"started_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "day_total" (
	"business" uuid NOT NULL,
	"branch" uuid NOT NULL,
	"on_day" date NOT NULL,
	"sales_count" numeric NOT NULL,
	"sales_minor" numeric NOT NULL,
	"returns_count" numeric NOT NULL,
	"returns_minor" numeric NOT NULL,
	"cash_in_minor" numeric NOT NULL,
	"cash_out_minor" numeric NOT NULL,
	"account_minor" numeric NOT NULL,
	"account_back_minor" numeric NOT NULL,
	"gave_minor" numeric NOT NULL,
	"got_minor" numeric NOT NULL,
	CONSTRAINT "day_total_business_branch_on_day_pk" PRIMARY KEY("business","branch","on_day")
);
--> statement-breakpoint
CREATE TABLE "document_head" (
	"business" uuid NOT NULL,
	"document" text NOT NULL,
	"sequence" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "document_head_business_document_pk" PRIMARY KEY("business","document")
);
--> statement-breakpoint
CREATE TABLE "document_update" (
	"business" uuid NOT NULL,
	"document" text NOT NULL,
	"sequence" bigint NOT NULL,
	"update" "bytea" NOT NULL,
	CONSTRAINT "document_update_business_document_sequence_pk" PRIMARY KEY("business","document","sequence")
);
--> statement-breakpoint
CREATE TABLE "fact" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"kind" text NOT NULL,
	"branch" uuid,
	"document" text,
	"wall" bigint NOT NULL,
	"counter" integer NOT NULL,
	"on_day" date NOT NULL,
	"member" integer NOT NULL,
	"text" text NOT NULL,
	"digest" bigint NOT NULL,
	"s" bigint NOT NULL,
	CONSTRAINT "fact_business_code_n_pk" PRIMARY KEY("business","code","n"),
	CONSTRAINT "fact_feed" UNIQUE("business","s")
);
--> statement-breakpoint
CREATE TABLE "feed_head" (
	"business" uuid PRIMARY KEY NOT NULL,
	"s" bigint DEFAULT 0 NOT NULL,
	"relay_n" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fork" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"digest" bigint NOT NULL,
	"document" text NOT NULL,
	"text" text NOT NULL,
	"received_at" bigint NOT NULL,
	CONSTRAINT "fork_business_code_n_digest_pk" PRIMARY KEY("business","code","n","digest")
);
--> statement-breakpoint
CREATE TABLE "product" (
	"business" uuid NOT NULL,
	"product" text NOT NULL,
	"fields" jsonb NOT NULL,
	"stamps" jsonb NOT NULL,
	CONSTRAINT "product_business_product_pk" PRIMARY KEY("business","product")
);
--> statement-breakpoint
CREATE TABLE "record" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"h" text NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"kind" text NOT NULL,
	"currency" text NOT NULL,
	"exponent" integer NOT NULL,
	"amount" bigint NOT NULL,
	"occurred_at" bigint NOT NULL,
	"on_day" date NOT NULL,
	"record" uuid NOT NULL,
	"ref" text,
	"due_at" bigint,
	"receipt" text,
	"note" text,
	"wall" bigint NOT NULL,
	"counter" integer NOT NULL,
	CONSTRAINT "record_business_ledger_h_pk" PRIMARY KEY("business","ledger","h")
);
--> statement-breakpoint
CREATE TABLE "return_line" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"line" integer NOT NULL,
	"product" text,
	"name" text NOT NULL,
	"quantity_thousandths" bigint NOT NULL,
	"unit_price_minor" bigint NOT NULL,
	"total_minor" bigint NOT NULL,
	"tax" jsonb,
	"sale_line" integer NOT NULL,
	"is_damaged" boolean NOT NULL,
	CONSTRAINT "return_line_business_code_n_line_pk" PRIMARY KEY("business","code","n","line")
);
--> statement-breakpoint
CREATE TABLE "sale" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"branch" uuid NOT NULL,
	"on_day" date NOT NULL,
	"happened_at" bigint NOT NULL,
	"member" integer NOT NULL,
	"receipt" text NOT NULL,
	"total_minor" bigint NOT NULL,
	"rounding_minor" bigint NOT NULL,
	"change_minor" bigint NOT NULL,
	CONSTRAINT "sale_business_code_n_pk" PRIMARY KEY("business","code","n")
);
--> statement-breakpoint
CREATE TABLE "sale_line" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"line" integer NOT NULL,
	"product" text,
	"name" text NOT NULL,
	"quantity_thousandths" bigint NOT NULL,
	"unit_price_minor" bigint NOT NULL,
	"total_minor" bigint NOT NULL,
	"tax" jsonb,
	CONSTRAINT "sale_line_business_code_n_line_pk" PRIMARY KEY("business","code","n","line")
);
--> statement-breakpoint
CREATE TABLE "sale_return" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"branch" uuid NOT NULL,
	"on_day" date NOT NULL,
	"happened_at" bigint NOT NULL,
	"member" integer NOT NULL,
	"receipt" text NOT NULL,
	"total_minor" bigint NOT NULL,
	"rounding_minor" bigint NOT NULL,
	"sale_code" text collate "C",
	"sale_n" bigint,
	CONSTRAINT "sale_return_business_code_n_pk" PRIMARY KEY("business","code","n")
);
--> statement-breakpoint
CREATE TABLE "setting" (
	"business" uuid PRIMARY KEY NOT NULL,
	"fields" jsonb NOT NULL,
	"stamps" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stock" (
	"business" uuid NOT NULL,
	"branch" uuid NOT NULL,
	"product" text NOT NULL,
	"thousandths" numeric NOT NULL,
	CONSTRAINT "stock_business_branch_product_pk" PRIMARY KEY("business","branch","product")
);
--> statement-breakpoint
CREATE TABLE "tender" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"row" integer NOT NULL,
	"kind" text NOT NULL,
	"minor" bigint NOT NULL,
	CONSTRAINT "tender_business_code_n_row_pk" PRIMARY KEY("business","code","n","row")
);
--> statement-breakpoint
ALTER TABLE "branch" ADD CONSTRAINT "branch_business_business_business_fk" FOREIGN KEY ("business") REFERENCES "public"."business"("business") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "device" ADD CONSTRAINT "device_business_branch_branch_business_branch_fk" FOREIGN KEY ("business","branch") REFERENCES "public"."branch"("business","branch") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "device" ADD CONSTRAINT "device_business_member_member_business_member_fk" FOREIGN KEY ("business","member") REFERENCES "public"."member"("business","member") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "device_token" ADD CONSTRAINT "device_token_business_code_device_business_code_fk" FOREIGN KEY ("business","code") REFERENCES "public"."device"("business","code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite" ADD CONSTRAINT "invite_business_branch_branch_business_branch_fk" FOREIGN KEY ("business","branch") REFERENCES "public"."branch"("business","branch") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "member" ADD CONSTRAINT "member_business_business_business_fk" FOREIGN KEY ("business") REFERENCES "public"."business"("business") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "member" ADD CONSTRAINT "member_account_account_account_fk" FOREIGN KEY ("account") REFERENCES "public"."account"("account") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "person" ADD CONSTRAINT "person_account_account_account_fk" FOREIGN KEY ("account") REFERENCES "public"."account"("account") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "person_alias" ADD CONSTRAINT "person_alias_person_person_person_fk" FOREIGN KEY ("person") REFERENCES "public"."person"("person") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_account_account_account_fk" FOREIGN KEY ("account") REFERENCES "public"."account"("account") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticket" ADD CONSTRAINT "ticket_business_code_device_business_code_fk" FOREIGN KEY ("business","code") REFERENCES "public"."device"("business","code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "device_nonce_by_expiry" ON "device_nonce" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "device_token_by_expiry" ON "device_token" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "member_by_account" ON "member" USING btree ("account");--> statement-breakpoint
CREATE INDEX "person_by_account" ON "person" USING btree ("account");--> statement-breakpoint
CREATE INDEX "rate_limit_by_expiry" ON "rate_limit" USING btree ("expire");--> statement-breakpoint
CREATE INDEX "session_by_account" ON "session" USING btree ("account");--> statement-breakpoint
CREATE INDEX "session_by_expiry" ON "session" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "ticket_by_expiry" ON "ticket" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "fact_people" ON "fact" USING btree ("business","s") WHERE kind in ('member', 'device');--> statement-breakpoint
CREATE INDEX "sale_by_day" ON "sale" USING btree ("business","branch","on_day");--> statement-breakpoint
CREATE INDEX "sale_return_by_day" ON "sale_return" USING btree ("business","branch","on_day");--> statement-breakpoint
CREATE INDEX "sale_return_by_sale" ON "sale_return" USING btree ("business","sale_code","sale_n");