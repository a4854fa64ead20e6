ALTER TABLE "device" ADD COLUMN "joined_epoch" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "phone" ADD COLUMN "joined_epoch" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE "device" SET "joined_epoch" = coalesce((SELECT max("epoch") FROM "database_epoch" WHERE "started_at" <= "joined_at"), 0);--> statement-breakpoint
UPDATE "phone" SET "joined_epoch" = coalesce((SELECT max("epoch") FROM "database_epoch" WHERE "started_at" <= "joined_at"), 0);
