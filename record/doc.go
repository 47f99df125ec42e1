// Package record is the format of a recording: what pgtui observed, and when. It
// writes to an io.Writer, reads from an io.ReaderAt, and opens no file.
//
// A recording is a sequence of frames of about a minute. A frame is a gzip member with
// JSON lines, followed by an empty member whose header has the frame's index: its
// times, its length, the SHA-256 of its bytes and of the frame before. zcat prints the lines.
//
//	{"v":1,"t":"2026-12-01T03:12:07.1Z","k":"patroni","id":"pg-test-1","d":{…}}
//
// Lines of an observation have what changed since the last one, so that the
// lines of a frame are read in order. A frame that is whole begins with
// everything. A line of kind moment ends what was observed together.
//
// A recording holds no secret: see fields.txt, which lists each field that is written.
package record
