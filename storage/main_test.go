package storage

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childEnv makes the test binary play a part of a test in another process: its
// value is the part's name, and the argument is a directory.
const childEnv = "STORAGE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "hold":
		childHold(os.Args[1])
	case "write":
		childWrite(os.Args[1])
	default:
		goleak.VerifyTestMain(m)
	}
}

// childHold opens the directory, says so, and keeps it until stdin closes.
func childHold(dir string) {
	s, err := Open(Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	bufio.NewReader(os.Stdin).ReadString('\n')
	if err := s.Close(); err != nil {
		os.Exit(1)
	}
}

// childWrite commits batch after batch until it is killed, and prints the
// number of each one when it is acknowledged.
func childWrite(dir string) {
	s, err := Open(Options{Dir: dir, Shards: 1})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	sh := s.Shards()[0]
	for i := uint64(0); ; i++ {
		b := sh.NewBatch()
		for j := range uint64(crashBatch) {
			key, value := crashEntry(i, j)
			if err := b.Set(key, value); err != nil {
				panic(err)
			}
		}
		if err := b.Commit(); err != nil {
			panic(err)
		}
		fmt.Println(i)
	}
}

const crashBatch = 20

// crashEntry is entry j of batch i. Some values go to the value log.
func crashEntry(i, j uint64) (key, value []byte) {
	key = binary.BigEndian.AppendUint64(nil, i)
	key = binary.BigEndian.AppendUint64(key, j)
	r := rand.New(rand.NewPCG(i, j))
	value = make([]byte, 1+r.IntN(2*valueThreshold))
	for k := range value {
		value[k] = byte(r.Uint32())
	}
	return key, value
}

// open opens a store that is closed, without error, at the end of the test.
func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func set(t testing.TB, s *Shard, pairs ...string) {
	t.Helper()
	b := s.NewBatch()
	defer b.Discard()
	for i := 0; i < len(pairs); i += 2 {
		require.NoError(t, b.Set([]byte(pairs[i]), []byte(pairs[i+1])))
	}
	require.NoError(t, b.Commit())
}

// get returns the value of key, or "none".
func get(t testing.TB, s *Shard, key string) string {
	t.Helper()
	value := "none"
	require.NoError(t, s.View(func(sn *Snapshot) error {
		_, err := sn.Get([]byte(key), func(v []byte) error {
			value = string(v)
			return nil
		})
		return err
	}))
	return value
}

// keys returns the keys of a range as strings.
func keys(t testing.TB, s *Shard, r Range) []string {
	t.Helper()
	got := []string{}
	require.NoError(t, s.View(func(sn *Snapshot) error {
		return sn.Scan(r, func(key, _ []byte) (bool, error) {
			got = append(got, string(key))
			return true, nil
		})
	}))
	return got
}
