import time as T
from pathlib import Path
from datetime import datetime,UTC
from sqlalchemy import text
def test_perf(engine,tmp_path):
    from members.importing import import_members
    from state_machines.values import SYSTEM
    p=tmp_path/"x.csv"
    p.write_text("name,email,number,tier,w\n"+"\n".join(f"Member {n} Ltd,m{n}@x.example,{n},T,https://m{n}.example" for n in range(10000)))
    m={"name":"name","email":"email","external_ref":"number","website":"w"}
    for mm in (m,m,{**m,"tier":"tier"},{"name":"name","email":"email","website":"w"}):
        t=T.time(); r=import_members(engine,p,mm,leaving_share=.1,leaving_count=5,actor=SYSTEM,now=datetime.now(UTC)); print(r.to_dict(),T.time()-t)
    from members import store
    from config.database import reading
    with reading(engine) as c:
        t=T.time(); print(store.search(c,"member 77")[1], T.time()-t)
        c.execute(text("analyze")) if 0 else None
        t=T.time(); print(len(store.population(c,{"tier":"T"})), T.time()-t)
        t=T.time(); print(len(store.find_by_refs(c,[f"Member {n}" for n in range(10000)]).members), T.time()-t)
