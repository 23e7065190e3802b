package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkTable verifies the checksums of a Badger table (an .sst file): of the
// index and of the last block, which Badger reads when it opens a table, or of
// the index and all blocks. Badger trusts lengths it finds in a table before it
// has verified them and ends the process when they lead nowhere, hence a reader
// of our own.
//
// The file is, lengths being four bytes, big endian:
//
//	block... | index | index length | checksum of index | checksum length
//
// and a block, whose place the index gives,
//
//	entries | offset of each entry | their number | checksum of all that | checksum length
func checkTable(path string, allBlocks bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return checkTableBytes(f, info.Size(), allBlocks)
}

func checkTableBytes(f io.ReaderAt, end int64, allBlocks bool) (err error) {
	defer func() {
		// Flatbuffers check nothing: an index whose checksum was made right on
		// purpose can still point anywhere.
		if p := recover(); p != nil {
			err = fmt.Errorf("index: %v", p)
		}
	}()
	sum, end, err := readSized(f, end)
	if err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	indexBytes, end, err := readSized(f, end)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	if err := checkSum(indexBytes, sum); err != nil {
		return fmt.Errorf("index: %w", err)
	}

	index := fb.GetRootAsTableIndex(indexBytes, 0)
	first := index.OffsetsLength() - 1
	if first < 0 {
		return errors.New("index names no block")
	}
	if allBlocks {
		first = 0
	}
	var (
		place fb.BlockOffset
		block []byte
	)
	for i := first; i < index.OffsetsLength(); i++ {
		index.Offsets(&place, i)
		offset, size := int64(place.Offset()), int64(place.Len())
		if offset+size > end {
			return fmt.Errorf("block %d lies beyond the blocks", i)
		}
		if int64(cap(block)) < size {
			block = make([]byte, size)
		}
		block = block[:size]
		if _, err := f.ReadAt(block, offset); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
		if err := checkBlock(block); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
	}
	return nil
}

// readSized reads the bytes whose length stands in the four bytes before end.
// It also returns where they start.
func readSized(f io.ReaderAt, end int64) (b []byte, start int64, err error) {
	var size [4]byte
	if end < int64(len(size)) {
		return nil, 0, io.ErrUnexpectedEOF
	}
	end -= int64(len(size))
	if _, err := f.ReadAt(size[:], end); err != nil {
		return nil, 0, err
	}
	n := int64(binary.BigEndian.Uint32(size[:]))
	if n > end {
		return nil, 0, fmt.Errorf("length %d of %d bytes", n, end)
	}
	b = make([]byte, n)
	_, err = f.ReadAt(b, end-n)
	return b, end - n, err
}

func checkBlock(b []byte) error {
	end := len(b) - 4
	if end < 0 {
		return io.ErrUnexpectedEOF
	}
	n := int64(binary.BigEndian.Uint32(b[end:]))
	if n > int64(end) {
		return fmt.Errorf("checksum length %d of %d bytes", n, end)
	}
	start := end - int(n)
	return checkSum(b[:start], b[start:end])
}

func checkSum(data, sum []byte) error {
	var c pb.Checksum
	if err := proto.Unmarshal(sum, &c); err != nil {
		return err
	}
	return y.VerifyChecksum(data, &c)
}
