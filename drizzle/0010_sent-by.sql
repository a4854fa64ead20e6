ALTER TABLE "connection_ask" ADD COLUMN "code" text;--> statement-breakpoint
ALTER TABLE "ledger_invite" ADD COLUMN "code" text;