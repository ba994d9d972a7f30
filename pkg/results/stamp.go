package results

import (
	"math"
	"time"
)

// Stamp is a time in whole seconds since 1970, as statuses have them, and 0 where there is none. It ends in 2106.
type Stamp uint32

// StampOf returns t as a Stamp, 0 where it is out of range.
func StampOf(t time.Time) Stamp {
	if seconds := t.Unix(); seconds > 0 && seconds <= math.MaxUint32 {
		return Stamp(seconds)
	}
	return 0
}

// Time returns the time that s is, in UTC.
func (s Stamp) Time() time.Time { return time.Unix(int64(s), 0).UTC() }

// Optional returns the time that s is, nil where there is none.
func (s Stamp) Optional() *time.Time {
	if s == 0 {
		return nil
	}
	at := s.Time()
	return &at
}

// String is how a status has it, empty where there is none.
func (s Stamp) String() string {
	if s == 0 {
		return ""
	}
	return s.Time().Format(time.RFC3339)
}

// parseStamp reads a time of a status; ok is false for what is none.
func parseStamp(text string) (s Stamp, ok bool) {
	if text == "" {
		return 0, false // as most are for a while, and an error costs more than it is worth
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, false
	}
	s = StampOf(t)
	return s, s != 0
}
