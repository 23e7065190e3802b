// Command baseline serves just enough of the DynamoDB API to be measured by stator
// bench, and does the least that an answer needs. It marks the limits of the
// machine: nothing that speaks HTTP through gin is faster than the first mode, and
// nothing that keeps its items in Badger, one transaction a request, is faster than
// the second.
//
//	baseline -port 8001            reads requests and answers them from constants
//	baseline -port 8001 -dir DIR   PutItem, GetItem and UpdateItem make one Badger transaction
//	baseline -port 8001 -dir DIR -sync   the same with SyncWrites
//
// It knows the requests of stator bench only: keys are found by their text, and the
// stored value is the JSON of the item.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/gin-gonic/gin"
)

func main() {
	port := flag.Int("port", 8001, "port to listen on")
	dir := flag.String("dir", "", "directory of the database; empty serves constants")
	sync := flag.Bool("sync", false, "fsync each transaction")
	flag.Parse()
	if err := serve(*port, *dir, *sync); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(port int, dir string, sync bool) (err error) {
	b := baseline{}
	if dir != "" {
		options := badger.DefaultOptions(dir).WithLogger(nil).WithSyncWrites(sync)
		if b.db, err = badger.Open(options); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.db.Close()) }()
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/", b.handle)
	web := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", port), Handler: engine, ReadHeaderTimeout: 10 * time.Second}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	served := make(chan error, 1)
	go func() { served <- web.ListenAndServe() }()
	select {
	case err := <-served:
		return err
	case <-signals:
		return web.Close()
	}
}

type baseline struct{ db *badger.DB }

func (b *baseline) handle(c *gin.Context) {
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	_, api, _ := strings.Cut(c.GetHeader("X-Amz-Target"), ".")
	answer, err := b.answer(api, body)
	if err != nil {
		c.Data(http.StatusInternalServerError, "application/x-amz-json-1.0", fmt.Appendf(nil, `{"__type":%q}`, err.Error()))
		return
	}
	c.Data(http.StatusOK, "application/x-amz-json-1.0", answer)
}

func (b *baseline) answer(api string, body []byte) ([]byte, error) {
	switch {
	case api == "DescribeTable":
		return []byte(`{"Table":{"TableStatus":"ACTIVE"}}`), nil
	case b.db == nil && api == "GetItem":
		return []byte(`{"Item":{}}`), nil
	case b.db == nil:
		return []byte(`{}`), nil
	case api == "BatchWriteItem":
		return []byte(`{}`), b.load(body)
	case api == "PutItem":
		_, item, _ := bytes.Cut(body, []byte(`"Item":`))
		item = bytes.TrimSuffix(item, []byte("}"))
		return []byte(`{}`), b.db.Update(func(txn *badger.Txn) error { return txn.Set(keyOf(item), item) })
	case api == "GetItem":
		return b.get(body)
	case api == "UpdateItem":
		return []byte(`{}`), b.update(body)
	default:
		return []byte(`{}`), nil
	}
}

func (b *baseline) load(body []byte) error {
	batch := b.db.NewWriteBatch()
	defer batch.Cancel()
	for i, item := range bytes.Split(body, []byte(`{"PutRequest":{"Item":`)) {
		if i == 0 {
			continue
		}
		// What follows an item is "}}," or, after the last one, "}}]}}".
		item = bytes.TrimSuffix(bytes.TrimSuffix(item, []byte(`]}}`)), []byte(`,`))
		item = bytes.TrimSuffix(item, []byte(`}}`))
		if err := batch.Set(keyOf(item), item); err != nil {
			return err
		}
	}
	return batch.Flush()
}

func (b *baseline) get(body []byte) ([]byte, error) {
	answer := []byte(`{"Item":`)
	err := b.db.View(func(txn *badger.Txn) error {
		stored, err := txn.Get(keyOf(body))
		if err != nil {
			return err
		}
		return stored.Value(func(value []byte) error {
			answer = append(append(answer, value...), '}')
			return nil
		})
	})
	return answer, err
}

// update reads and writes an item back unchanged, once more if another request
// was faster.
func (b *baseline) update(body []byte) error {
	key := keyOf(body)
	for {
		err := b.db.Update(func(txn *badger.Txn) error {
			stored, err := txn.Get(key)
			if err != nil {
				return err
			}
			value, err := stored.ValueCopy(nil)
			if err != nil {
				return err
			}
			return txn.Set(key, value)
		})
		if !errors.Is(err, badger.ErrConflict) {
			return err
		}
	}
}

// keyOf returns the text from the value of "pk" to the value of "sk".
func keyOf(text []byte) []byte {
	_, key, _ := bytes.Cut(text, []byte(`"pk":{"S":"`))
	at := bytes.Index(key, []byte(`"sk":{"N":"`))
	if at < 0 {
		return []byte("no key")
	}
	end := bytes.IndexByte(key[at+len(`"sk":{"N":"`):], '"')
	return key[:at+len(`"sk":{"N":"`)+max(end, 0)]
}
