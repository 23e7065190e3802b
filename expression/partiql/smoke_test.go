package partiql

import (
	"fmt"
	"github.com/stator-db/stator/storage/item"
	"strings"
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	for _, s := range []string{
		`SELECT * FROM "T" WHERE pk = 'a' AND begins_with("sk", 'p') ORDER BY sk DESC`,
		`SELECT a.b[0], c FROM T.idx WHERE pk IN ['a', ?] OR NOT (x = 1 AND y <> -2.5e3);`,
		`INSERT INTO "T" VALUE {'pk': 'x', 'l': [1,'a',{'k':NULL}], 's': <<1,2>>, 'p': ?}`,
		`UPDATE "T" SET a = a + 1, b.c[2] = list_append(l, [1]) REMOVE z SET s = set_add(s, <<'x'>>) WHERE pk='a' AND sk = 1 RETURNING ALL NEW *`,
		`DELETE FROM T WHERE pk='a' RETURNING ALL OLD *`,
		`FROM T WHERE pk='a' SET c = 1`,
		`EXISTS(SELECT * FROM T WHERE pk='a' AND x IS NOT MISSING)`,
		`SELECT * FROM T WHERE attribute_exists(ss) = true AND (n = 5 OR f='x') = false AND a BETWEEN 1 AND 2 AND size(x) > 3`,
		`SLECT * FROM "T" WHERE pk = 1`, `SELECTT * FROMM "T"`, `x IS INT4`, `x IS DOUBLE PRECISION`,
		`SELECT * FROM "N" WHERE pk = 1 foo`, `SELECT * FROM "N" WHERE pk = 1 e5`, `INSERT INTO "N" VALUE {'pk': 970001} foo`,
		`UPDATE "N" SET a = 9 WHERE pk = 970002 foo`, `DELETE FROM "N" WHERE pk = 970003 foo`, `SELECT * FROM "N" WHERE pk = 1)`,
		`DELETE FROM "N" WHERE pk = 970004 ORDER BY pk`, `SELECT * FROM "N" ORDER BY pk WHERE pk = 1`,
		`SELECT * FROM "N" WHERE pk = 1e2147483648`, `SELECT * FROM "N" WHERE pk = 1.5e-2147483647`, `SELECT * FROM "N" WHERE pk = 1 # note`, `SELECT * FROM "N" WHERE pk = 1 /* note`,
		`SELECT * FROM "S" t WHERE pk = 'x'`, `SELECT * FROM "S" AS t WHERE pk = 'x'`, `UPDATE "S" t SET a = 3 WHERE pk = 'x'`, `DELETE FROM "S" t WHERE pk = 'x'`, `INSERT INTO "S" t VALUE {'pk': 'x'}`,
		`SELECT * FROM "N" WHERE pk = 1e126`, `INSERT INTO "N" VALUE {'pk': 970006, 'm': {'x': 1e126}}`, `INSERT INTO "N" VALUE {'pk': 970007, 'l': [1, 1e126]}`,
		`SELECT * FROM "S" WHERE`, `SELECT * FROM "S" WHERE;`, `UPDATE "S" SET a = 1 WHERE`, `SELECT * FROM "S" WHERE NOT`, `SELECT * FROM "S" WHERE (`,
		`SELECT * FROM "S" WHERE pk = 'p1' AND`, `SELECT * FROM "S" WHERE ORDER BY pk`,
		`SELECT * FROM "S" WHERE pk = 'a' AND x IS FOO`, `SELECT * FROM "S" WHERE IS NULL`, `SELECT * FROM "S" WHERE pk = LIKE`,
		`DELETE FROM`, `DELETE FROM;`, `DELETE FROM WHERE pk = 'a'`, `SELECT * FROM`, `FROM "S" SET c = 1 WHERE pk = 'x'`, `FROM "S" SET c = 1 WHERE pk = 'pq-ff-msg' SET d = 2`,
		`SELECT attribute_exists(ss) FROM "T" WHERE pk = 'a'`, `SELECT COUNT(*) FROM T`, `SELECT * FROM T WHERE EXISTS(ss)`, `SELECT * FROM T WHERE attribute_exists(m.inner)`,
		`UPDATE T SET t = set_add(ss, <<'x'>>) WHERE pk='a'`, `UPDATE T SET ss = set_add(ss, 'x') WHERE pk='a'`, `UPDATE T SET ss = set_add(ss) WHERE pk='a'`, `UPDATE T SET ss = set_add(ss, <<'x','x'>>) WHERE pk='a'`,
		`SELECT * FROM T WHERE set_add(ss, <<'x'>>) = ss`, `INSERT INTO "T" VALUE {'pk': 'p', 'ss': set_add(<<'a'>>, <<'b'>>)}`,
		`UPDATE Payment-foo SET active=? WHERE a=?`, `INSERT INTO urls (key, secret) VALUES (?, ?)`, `SELECT * FROM T LIMIT 5`, `SELECT a FROM T WHERE a = [?]`,
		`UPDATE T SET l[-1] = 1 WHERE a=1`, `SELECT l[-1] FROM "partiql" WHERE pk='index'`, `SELECT * FROM T WHERE l[2147483648] = 1`, `UPDATE T SET n = n - - 2 WHERE pk=1`, `UPDATE T SET n=n--1 WHERE a=1`, ``, `;`, `SELECT`, `SELECT FROM T`, `SELECT a b c FROM T`, `SELECT * FROM "A"."B"."C"`, `SELECT * FROM ""`, `SELECT * FROM T WHERE a IN (1,2`, `SELECT * FROM T WHERE a = 1 AND (b = 2`,
	} {
		st, err := Parse(s)
		var out any
		if err == nil {
			ps := make([]item.Value, st.parameters)
			for i := range ps {
				ps[i] = item.String("p")
			}
			var c *Command
			c, err = st.Bind(ps)
			if err == nil {
				out = *c
				if c.Fault != nil {
					err = c.Fault
				}
			}
		}
		_ = out
		fmt.Printf("%-100s => %v\n", s, err)
	}
	for _, s := range []string{"SELECT * FROM T WHERE a=1" + strings.Repeat(" OR a=1", 1150), "SELECT * FROM T WHERE a IN (" + strings.Repeat("1,", 4050) + "1)", "SELECT * FROM T WHERE a=" + strings.Repeat("(", 120) + "1", "SELECT * FROM T WHERE " + strings.Repeat("NOT ", 100) + "a=1", "SELECT * FROM T WHERE a=1" + strings.Repeat("+1", 4000), "SELECT * FROM T WHERE a=1" + strings.Repeat("=1", 4000), "SELECT a" + strings.Repeat("[0]", 2700) + " FROM T"} {
		b := time.Now()
		_, err := Parse(s)
		fmt.Println(len(s), time.Since(b), err)
	}
}
