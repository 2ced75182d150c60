"""Points that no purchase earned: granted for an adopted suggestion, an answered survey, a birthday, a referral."""
