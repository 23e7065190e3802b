package storage

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	// logHeaderSize is that of the logs of memtables and of value logs.
	logHeaderSize = 20
	// maxMemValue bounds the values in a memtable's log.
	maxMemValue = 1 << 20
)

// Bits of Badger's meta byte.
const (
	metaPointer = 1 << 1 // the value is a pointer into a value log
	metaTxn     = 1 << 6 // the entry is part of a transaction
	metaFinTxn  = 1 << 7 // the entry ends a transaction
)

// cutGaps drops from the newest memtable's log in dir the first transaction
// with a value that its value log has lost in a power cut, and what follows. An
// older memtable was flushed with its values before the next was begun (see
// commit), so that values missing there are damage, unless they were being
// moved by a collection and are still in the log that was collected.
func cutGaps(dir string) error {
	files, err := listFiles(dir)
	if err != nil {
		return err
	}
	newest := files.newestMemLog()
	for _, name := range files.with(memLogSuffix) {
		path := filepath.Join(dir, name)
		gap, moved, err := findGap(path)
		if err != nil {
			return err
		}
		if gap < 0 {
			continue
		}
		if name != newest && !moved {
			return corrupt(path, "the transaction at offset %d has lost a value", gap)
		}
		if err := cutLog(path, gap); err != nil {
			return err
		}
	}
	return nil
}

// cutLog makes the rest of a log zeros, which end it.
func cutLog(path string, offset int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(os.Truncate(path, offset), os.Truncate(path, info.Size()), syncFile(path))
}

// findGap returns the offset of the first transaction in a memtable's log with
// a value that is not in its value log, or -1, and whether it is a value that a
// collection moved rather than a transaction. A log ends at the first entry that
// is not intact.
func findGap(path string) (offset int64, moved bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	values := valueLogs{dir: filepath.Dir(path), files: map[uint32]*os.File{}}
	defer values.close()
	return findGapIn(f, values.has)
}

// findGapIn is findGap for a log of which has tells whether the value log of that
// number has, at an offset, an entry of that length for key.
func findGapIn(log io.Reader, has func(p valuePointer, key []byte) (bool, error)) (start int64, moved bool, err error) {
	r := bufio.NewReaderSize(log, 64<<10)
	if _, err := r.Discard(logHeaderSize); err != nil {
		return -1, false, noEntry(err)
	}
	offset, inTxn := int64(logHeaderSize), false
	var e logEntry
	for {
		n, err := e.read(r, maxMemValue)
		if err != nil {
			return -1, false, noEntry(err)
		}
		if !inTxn {
			start = offset
		}
		inTxn = e.meta&metaTxn != 0
		offset += n
		if e.meta&metaPointer == 0 {
			continue
		}
		p, ok := decodePointer(e.value)
		if ok {
			ok, err = has(p, e.key)
		}
		if err != nil {
			return 0, false, err
		}
		if !ok {
			return start, e.meta&(metaTxn|metaFinTxn) == 0, nil
		}
	}
}

// valuePointer is where an entry is in a value log.
type valuePointer struct{ id, size, offset uint32 }

func decodePointer(b []byte) (p valuePointer, ok bool) {
	if len(b) != 12 {
		return p, false
	}
	return valuePointer{
		id:     binary.NativeEndian.Uint32(b),
		size:   binary.NativeEndian.Uint32(b[4:]),
		offset: binary.NativeEndian.Uint32(b[8:]),
	}, true
}

// errNoEntry is that bytes of a log are not an entry: there its content ends.
var errNoEntry = errors.New("not an intact entry")

// noEntry makes the end of a log's content no error.
func noEntry(err error) error {
	if errors.Is(err, errNoEntry) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// logEntry is an entry of a memtable's log or of a value log; see checkValueLog
// for its format.
type logEntry struct {
	meta  byte
	key   []byte // with its version
	value []byte
	body  bytes.Buffer
}

// read reads the next entry from r, with a value of at most maxValue bytes, and
// returns its length. The slices are valid until the next call.
func (e *logEntry) read(r *bufio.Reader, maxValue uint64) (n int64, err error) {
	s := &sumReader{r: r}
	if e.meta, err = s.ReadByte(); err != nil {
		return 0, err
	}
	if _, err = s.ReadByte(); err != nil {
		return 0, err
	}
	var keySize, valueSize, expiry uint64
	for _, v := range []*uint64{&keySize, &valueSize, &expiry} {
		if *v, err = binary.ReadUvarint(s); err != nil {
			return 0, fmt.Errorf("%w: %w", errNoEntry, err)
		}
	}
	if keySize == 0 || keySize > maxLogKey || valueSize > maxValue {
		return 0, errNoEntry
	}
	e.body.Reset()
	if _, err = io.CopyN(&e.body, s, int64(keySize+valueSize)); err != nil {
		return 0, err
	}
	b := e.body.Bytes()
	e.key, e.value = b[:keySize:keySize], b[keySize:]
	want := s.sum
	var sum [crc32.Size]byte
	if _, err = io.ReadFull(s, sum[:]); err != nil {
		return 0, err
	}
	if binary.BigEndian.Uint32(sum[:]) != want {
		return 0, errNoEntry
	}
	return s.offset, nil
}

// valueLogs looks into the value logs of a closed shard.
type valueLogs struct {
	dir   string
	files map[uint32]*os.File
	entry logEntry
}

func (v *valueLogs) has(p valuePointer, key []byte) (bool, error) {
	f := v.files[p.id]
	if f == nil {
		var err error
		f, err = os.Open(filepath.Join(v.dir, fmt.Sprintf("%06d%s", p.id, valueLogSuffix)))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		v.files[p.id] = f
	}
	r := bufio.NewReader(io.NewSectionReader(f, int64(p.offset), int64(p.size)))
	n, err := v.entry.read(r, maxLogValue)
	if err != nil {
		return false, noEntry(err)
	}
	return n == int64(p.size) && bytes.Equal(v.entry.key, key), nil
}

func (v *valueLogs) close() {
	for _, f := range v.files {
		f.Close()
	}
}
