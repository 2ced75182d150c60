"""What stands against a referral is asked here, of one pair of members."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from loyalty.members.identities import known, own_name
from loyalty.referrals.domain import Circumstances

_CIRCUMSTANCES = text("""
WITH RECURSIVE above AS (
    SELECT referrer FROM referral WHERE referred = :referrer
    UNION SELECT referral.referrer FROM referral JOIN above ON referral.referred = above.referrer
)
SELECT
    EXISTS (SELECT FROM contact_mark a JOIN contact_mark b USING (mark)
            WHERE a.customer_id = :referrer AND b.customer_id = :referred) AS shared_contact,
    EXISTS (SELECT FROM referral WHERE referred = :referred) AS referred_already,
    EXISTS (SELECT FROM transaction WHERE member_id = :referred AND kind = 'purchase') AS bought_before,
    EXISTS (SELECT FROM above WHERE referrer = :referred) AS circular
""")


def circumstances(session: Session, referrer: UUID, referred: UUID) -> Circumstances:
    """What is known of the two; whoever asks has locked the new one's account and keeps other referrals away."""
    names = own_name(str(referrer)), own_name(str(referred))
    now = known(session, names)
    one_person = now.get(names[0], names[0]) == now.get(names[1], names[1])
    found = session.execute(_CIRCUMSTANCES, {"referrer": referrer, "referred": referred}).mappings().one()
    return Circumstances(one_person=one_person, **found)
