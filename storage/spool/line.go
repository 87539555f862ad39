package spool

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
)

// crcTable is of the polynomial that processors have an instruction for.
var crcTable = crc32.MakeTable(crc32.Castagnoli)

// checksumLen is that of the checksum and the space behind it.
const checksumLen = 9

// encode makes the line of a record: its checksum in hexadecimal, a space, the
// record, a newline.
func encode(record []byte) []byte {
	line := make([]byte, 0, checksumLen+len(record)+1)
	line = fmt.Appendf(line, "%08x ", crc32.Checksum(record, crcTable))
	return append(append(line, record...), '\n')
}

// decode returns the record of a line; false when a crash tore it, or a disk
// has damaged it.
func decode(line []byte) ([]byte, bool) {
	record, whole := bytes.CutSuffix(line, []byte("\n"))
	if !whole || len(record) < checksumLen || record[checksumLen-1] != ' ' {
		return nil, false
	}
	sum, err := strconv.ParseUint(string(record[:checksumLen-1]), 16, 32)
	record = record[checksumLen:]
	return record, err == nil && uint32(sum) == crc32.Checksum(record, crcTable)
}
