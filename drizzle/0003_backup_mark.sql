CREATE TABLE "backup_mark" (
	"business" uuid PRIMARY KEY NOT NULL,
	"epoch" integer NOT NULL,
	"s" bigint NOT NULL,
	"at" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "sale_by_receipt" ON "sale" USING btree ("business","receipt");--> statement-breakpoint
CREATE INDEX "sale_return_by_receipt" ON "sale_return" USING btree ("business","receipt");