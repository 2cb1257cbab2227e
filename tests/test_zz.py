import asyncio, random, httpx
from tests.support.registry import *
from tests.support.transcripts import *
async def test_kill(serve_process):
    rnd=random.Random(3); acked={}; al=None; kills=0
    for rnd_no in range(10):
        s=serve_process()
        async with httpx.AsyncClient(base_url=s.url,timeout=30) as c:
            if al is None: al=await register(c)
            for sid,data in acked.items():
                got=(await c.get(conversation(sid),headers=al)).content
                assert got.startswith(data), sid   # at least what was acknowledged
            async def work(k):
                n=0
                while True:
                    sid=f"s{k}-{rnd.randint(0,3)}"; data=acked.get(sid,b"")+transcript(rnd.randint(0,9),rnd.randint(1,900_000))
                    try: r=await c.put(conversation(sid),headers=al,content=data)
                    except httpx.TransportError: return n
                    if r.status_code<300: acked[sid]=data if len(data)>=len(acked.get(sid,b"")) else acked[sid]; n+=1
            tasks=[asyncio.create_task(work(k)) for k in range(4)]
            await asyncio.sleep(rnd.uniform(0.5,1.5)); s.kill(); done=await asyncio.gather(*tasks); kills+=1
    print("KILLS",kills,"sessions",len(acked),sum(map(len,acked.values()))/1e6,"MB", done)
